/** `tappass up` with the real gateway: the two curl lines of its screen, and what outlives a SIGKILL. Needs: curl. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { isRunning } from '../../../scripts/core/process-identity.ts'

const data = mkdtempSync(join(tmpdir(), 'tappass-up-gateway-'))
const command = join(import.meta.dirname, '../../../scripts/cli.ts')
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(data, { recursive: true, force: true })
})

/** Starts it and waits until stdout holds a match; gives the process and the match. */
const up = async (
  words: readonly string[],
  pattern: RegExp,
): Promise<Readonly<{ child: ChildProcess; said: string }>> => {
  const { NODE_TEST_CONTEXT, ...environment } = process.env
  const child = spawn(process.execPath, [command, 'up', '--no-input', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let [stdout, stderr] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      if (pattern.test(stdout)) resolve(stdout)
    })
    child.once('close', (code) => reject(new Error(`exit code ${code}\n${stderr}`)))
  })
  return { child, said }
}

const end = async (child: ChildProcess, signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> => {
  child.kill(signal)
  const [code] = await once(child, 'exit')
  return code as number | null
}

type Line = Readonly<{ url: string; adminKey: string; agent: Readonly<{ id: string; key: string }> }>

const decisions = async ({ url, adminKey }: Line): Promise<readonly unknown[]> => {
  const answer = await fetch(`${url}/audit?limit=100`, { headers: { authorization: `Bearer ${adminKey}` } })
  assert.equal(answer.status, 200)
  const { data: entries } = (await answer.json()) as { data: readonly Readonly<{ request_id: string }>[] }
  return entries
}

describe('up with the real gateway', () => {
  test('the two curl lines of its screen: one is answered, one is refused', async () => {
    const { child, said } = await up(['--storage', 'memory'], /Press Ctrl-C to stop/)
    const lines = said.split('\n').filter((line) => line.startsWith('curl '))
    assert.equal(lines.length, 2)
    const [good, bad] = lines.map((line) => {
      const { stdout } = spawnSync('sh', ['-c', `${line} -w '\\n%{http_code}'`], { encoding: 'utf8' })
      return stdout.split('\n')
    })
    assert.equal(good?.at(-1), '200', good?.join(' ') ?? '')
    assert.match(good?.[0] ?? '', /You said: Hello/)
    assert.equal(bad?.at(-1), '403', bad?.join(' ') ?? '')
    assert.equal(JSON.parse(bad?.[0] ?? '{}').error.type, 'policy_block')
    assert.equal(JSON.parse(bad?.[0] ?? '{}').error.blocked_by, 'detect_secrets')
    assert.equal(await end(child, 'SIGINT'), 130)
  })

  test('keys and entries outlive a SIGKILL, and so does nothing else', async () => {
    const first = await up(['--json', '--data', data], /\n/)
    const line = JSON.parse(first.said) as Line
    const answer = await fetch(`${line.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${line.agent.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'remember me' }] }),
    })
    assert.equal(answer.status, 200)
    await answer.text()
    const before = await decisions(line)
    assert.equal(before.length > 0, true, 'there are entries')
    const { gateway } = JSON.parse(readFileSync(join(data, 'lock'), 'utf8'))
    await end(first.child, 'SIGKILL')
    const second = await up(['--json', '--data', data], /\n/)
    const restarted = JSON.parse(second.said) as Line
    assert.deepEqual([restarted.adminKey, restarted.agent], [line.adminKey, line.agent])
    const known = new Set((await decisions(restarted)).map((entry) => JSON.stringify(entry)))
    assert.deepEqual(
      before.filter((entry) => !known.has(JSON.stringify(entry))),
      [],
    )
    assert.equal(isRunning(gateway), false, 'the old gateway is gone')
    assert.equal(await end(second.child, 'SIGTERM'), 0)
  })
})
