/** `tappass agent` on a server over SSH: keys open and close its door, and the admin key never leaves it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { KEY_CACHE_TTL_MS } from '../../server/access/key-cache.ts'
import { bootstrappedServer, type Door, door, hostWords, type Server, secretOf, toolkit } from './server.ts'

let server: Server
let through: Door

before(async () => {
  server = await bootstrappedServer('proof-agent')
  through = await door(server)
})
after(async () => {
  await through?.close()
  await server?.close()
})

test('added, listed, revoked', async () => {
  const adminKey = await secretOf(server, 'tappass-admin-api-key')
  const agent = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await toolkit(['agent', ...words, ...hostWords(server), '--json'])
    assert.equal(code, 0, stderr)
    assert.equal(`${stdout}${stderr}`.includes(adminKey), false)
    return stdout
  }
  const { key } = JSON.parse(await agent('add', 'over-ssh'))
  const models = () => through.fetch(through.url('/v1/models'), { headers: { authorization: `Bearer ${key}` } })
  assert.equal((await models()).status, 200)
  assert.match(await agent('list'), /"agent_id":"over-ssh"/)
  await agent('revoke', 'over-ssh')
  await pause(KEY_CACHE_TTL_MS + 100) // for that long the other instance may believe a key
  assert.equal((await models()).status, 401)
})
