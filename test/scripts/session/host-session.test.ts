/** Several hosts: side by side, each to its own end, one exit code. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import type { ExitCode } from '../../../scripts/core/exit-code.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import type { Connection } from '../../../scripts/core/host.ts'
import { type Connectors, type Done, onEachHost, worstOf } from '../../../scripts/session/host-session.ts'
import type { Target } from '../../../scripts/spec/target.ts'
import { here, nonce } from '../known-host.ts'

const worst = [
  [[], 0],
  [[0, 0], 0],
  [[0, 2, 0], 2],
  [[2, 130], 130],
  [[4, 2], 4],
  [[5, 6, 0], 6],
  [[6, 1, 5], 1],
] as const satisfies readonly (readonly [readonly ExitCode[], ExitCode])[]

for (const [codes, expected] of worst)
  test(`worstOf: ${codes.join(', ')} is ${expected}`, () => assert.equal(worstOf(codes), expected))

const target = (name: string): Target => ({ name, address: { user: 'root', name, port: 22 }, config: undefined })

const session = async (
  names: readonly string[],
  work: (name: string) => Promise<Done>,
  options: Record<string, boolean> = { json: true },
) => {
  const sheets = { out: '', talk: '' }
  const sheet = (name: keyof typeof sheets) => ({ write: (text: string) => (sheets[name] += text) })
  let open = 0
  let openMost = 0
  const connect = async (name: string): Promise<Connection> => {
    if (name === 'dark') throw new Failure({ what: `${name} can't be reached` }, 6)
    openMost = Math.max(openMost, ++open)
    return {
      run: here,
      runAsUser: here,
      close: async () => {
        open--
      },
    }
  }
  const connectors: Connectors = {
    local: () => connect('here'),
    ssh: ({ name }) => connect(name),
    nonce,
  }
  const invocation = {
    verb: { name: 'bootstrap', summary: '', options: [] },
    options,
    environment: {},
    stdin: {},
    stdout: sheet('out'),
    stderr: sheet('talk'),
    workingFolder: '/',
    nowMs: () => 0,
    interrupt: new AbortController().signal,
  } as unknown as Invocation
  const running = onEachHost(invocation, connectors, names.map(target), async ({ target: { name }, run }) => {
    await run({ argv: ['true'], effect: 'read' })
    return await work(name)
  })
  return { code: await running, ...sheets, open, openMost }
}

const done: Done = { outcome: 'as-wanted', applied: 0, remaining: 0 }

test("onEachHost: one host's failure does not stop the others; all connections are closed", async () => {
  const { code, out, open } = await session(['a', 'dark', 'b'], async (name) => {
    if (name === 'a') throw new Failure({ what: 'locked' }, 4)
    return { outcome: 'pending', applied: 0, remaining: 3 }
  })
  const ends = out
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row))
    .filter(({ event }) => event === 'run-finished')
  assert.deepEqual(Object.fromEntries(ends.map(({ host, outcome, exitCode }) => [host, [outcome, exitCode]])), {
    a: ['locked', 4],
    dark: ['unreachable', 6],
    b: ['pending', 2],
  })
  assert.deepEqual([code, open], [6, 0])
})

test('onEachHost: side by side, but not all of many', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `h${index}`)
  const { openMost, out } = await session(names, async () => done)
  assert.ok(openMost > 1 && openMost <= 8, `${openMost}`)
  assert.equal(out.split('"run-finished"').length - 1, 20)
})

test('onEachHost: round trips are counted', async () => {
  const { out } = await session(['a'], async () => done)
  assert.match(out, /"roundTrips":1/)
})

test('onEachHost: lines for people carry the name of the host', async () => {
  const { talk } = await session(['a', 'b'], async () => done, {})
  assert.match(talk, /^a: as wanted/m)
  assert.match(talk, /^b: as wanted/m)
})

test('onEachHost: a defect is not swallowed, and the other hosts still get to their end', async () => {
  const ended: string[] = []
  const running = session(['a', 'b'], async (name) => {
    if (name === 'a') throw new TypeError('defect')
    ended.push(name)
    return done
  })
  await assert.rejects(running, TypeError)
  assert.deepEqual(ended, ['b'])
})
