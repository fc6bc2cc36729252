/** `tappass agent` against the gateway that `tappass up` runs (a stand-in), and by address and key file. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Typed, typeCommand } from '../command-line.ts'

const root = mkdtempSync(join(tmpdir(), 'tappass-agent-'))
let up: Typed
let serving: Readonly<{ url: string; adminKey: string }>

const agent = async (...words: readonly string[]) => {
  const typed = typeCommand(['agent', ...words], { root })
  const code = await typed.code
  return { code, stdout: typed.stdout(), stderr: typed.stderr() }
}

before(async () => {
  mkdirSync(join(root, 'server'))
  copyFileSync(join(import.meta.dirname, '..', 'stub-gateway.ts'), join(root, 'server', 'main.ts'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  up = typeCommand(['up', '--no-input', '--json', '--port', '0'], { root })
  serving = JSON.parse((await up.until('stdout', /.*\n/))[0])
  writeFileSync(join(root, 'admin-key'), `${serving.adminKey}\n`)
  writeFileSync(join(root, 'wrong-key'), 'tp_wrong')
})
after(async () => {
  up.interrupt('SIGTERM')
  await up.code
  rmSync(root, { recursive: true, force: true })
})

describe('agent', () => {
  test('add shows a key that opens the gateway; a second of that name is refused', async () => {
    const added = await agent('add', 'crawler', '--framework', 'none', '--json')
    assert.equal(added.code, 0, added.stderr)
    const { id, key } = JSON.parse(added.stdout)
    assert.equal(id, 'crawler')
    const answer = await fetch(`${serving.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    assert.equal(answer.status, 200)
    const second = await agent('add', 'crawler')
    assert.deepEqual([second.code, second.stdout], [1, ''])
    assert.match(second.stderr, /the agent crawler exists already/)
  })

  test('add with a SPIFFE id shows no key; the id is in the list, and belongs to one agent', async () => {
    const id = 'spiffe://example.org/agent/svid'
    const added = await agent('add', 'svid', '--spiffe-id', id)
    assert.deepEqual([added.code, added.stdout], [0, `agent svid: comes with an SVID of ${id}, and has no key\n`])
    assert.equal(added.stderr, '')
    assert.match(
      (await agent('list')).stdout,
      /SINCE +SPIFFE ID\n[\s\S]*\nsvid .* spiffe:\/\/example\.org\/agent\/svid\n/,
    )
    const second = await agent('add', 'other', '--spiffe-id', id)
    assert.equal(second.code, 1)
    assert.match(second.stderr, /an agent with this SPIFFE id exists/)
    const json = await agent('add', 'json', '--spiffe-id', `${id}2`, '--json')
    assert.deepEqual(JSON.parse(json.stdout), { id: 'json', spiffe_id: `${id}2` })
    for (const name of ['svid', 'json']) await agent('revoke', name)
  })

  test('list shows all, for people and as JSON', async () => {
    assert.match((await agent('list')).stdout, /^AGENT +UUID[^\n]*\nfirst-agent +-/)
    assert.equal(JSON.parse((await agent('list', '--json')).stdout)[0].agent_id, 'first-agent')
  })

  test('revoke voids it, once', async () => {
    await agent('add', 'leaver')
    assert.equal((await agent('revoke', 'leaver')).code, 0)
    const second = await agent('revoke', 'leaver')
    assert.equal(second.code, 1)
    assert.match(second.stderr, /there is no agent leaver/)
  })

  test('by address and key file', async () => {
    assert.equal((await agent('list', '--url', serving.url, '--admin-key-file', 'admin-key')).code, 0)
    const wrong = await agent('list', '--url', serving.url, '--admin-key-file', 'wrong-key')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /cannot list agents: the gateway returned HTTP 401/)
    const away = await agent('list', '--url', 'http://127.0.0.1:9', '--admin-key-file', 'admin-key')
    assert.equal(away.code, 6)
    assert.match(away.stderr, /cannot reach the gateway/)
  })

  test('nothing serves from the data folder', async () => {
    const typed = await agent('list', '--data', 'nowhere')
    assert.equal(typed.code, 6)
    assert.match(typed.stderr, /no gateway is running on this machine[\s\S]*nowhere[\s\S]*tappass up/)
  })

  /** What is typed, and what stderr says; all are usage errors. */
  for (const [words, says] of [
    [['add'], /"agent add" needs one ID/],
    [['add', 'a', 'b'], /"agent add" needs one ID/],
    [['list', '--url', 'http://127.0.0.1:9'], /"--url" needs "--admin-key-file"/],
    [['list', '--host', 'a@b', '--host', 'c@d'], /works on one gateway/],
  ] as const) {
    test(`agent ${words.join(' ')}`, async () => {
      const typed = await agent(...words)
      assert.equal(typed.code, 64)
      assert.match(typed.stderr, says)
    })
  }
})
