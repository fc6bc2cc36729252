/** Several hosts: side by side, each to its own end, one exit code. */
import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { type ExitCode, exitCodeOf } from '../../../contract/exit-code.ts'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import type { Connection, Runner } from '../../../scripts/core/host.ts'
import type { Target } from '../../../scripts/inventory/target.ts'
import type { Event } from '../../../scripts/output/event.ts'
import {
  forEachHost,
  type HostResult,
  type HostSession,
  type HostWork,
  worstExitCode,
} from '../../../scripts/session/host-session.ts'
import type { Connectors } from '../../../scripts/session/target-connection.ts'
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
  test(`worstExitCode: ${codes.join(', ')} is ${expected}`, () => assert.equal(worstExitCode(codes), expected))

// A host's process that ended with any other code is a failure of the run, however well the others went.
test('worstExitCode: whatever a process on one of three hosts ended with, only 0 is success', () => {
  const worstOf = Array.from({ length: 256 }, (_, code) => worstExitCode([0, exitCodeOf(code), 0]))
  assert.deepEqual(
    worstOf.flatMap((code, given) => (code === 0 ? [given] : [])),
    [0],
  )
})

const target = (name: string): Target => ({ name, address: { user: 'root', name, port: 22 }, config: undefined })

/** A terminal on which everything is answered with yes; without it there is none. */
const terminal = () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stderr = (texts: { stderr: string }) =>
    Object.assign(
      new Writable({
        write: (chunk, _encoding, done) => {
          texts.stderr += chunk
          if (String(chunk).includes('[y/N]')) setImmediate(() => stdin.write('y\n'))
          done()
        },
      }),
      { isTTY: true },
    )
  return { stdin, stderr }
}

const session = async (
  names: readonly string[],
  work: (name: string, run: Runner, host: HostSession) => Promise<HostResult>,

  options: Record<string, boolean | string> = { json: true },
  more: Partial<
    Pick<HostWork, 'beforehand' | 'probe' | 'isConfirmedTogether'> & { interrupt: AbortSignal; verb: string }
  > = {},
) => {
  const texts = { stdout: '', stderr: '' }
  const shown = more.isConfirmedTogether === true ? terminal() : undefined
  const textOf = (name: keyof typeof texts) => ({ write: (text: string) => (texts[name] += text) })
  let open = 0
  let openMost = 0
  const connect = async (name: string): Promise<Connection> => {
    if (name === 'dark') throw new Failure({ what: `cannot connect to ${name}` }, 6)
    openMost = Math.max(openMost, ++open)
    return {
      run: here,
      runAsUser: here,
      endReads: () => {},
      dial: async () => {
        throw new Error('nothing is asked of another host here')
      },
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
    verb: { name: more.verb ?? 'bootstrap', summary: '', options: [] },
    operands: [],
    options,
    environment: {},
    stdin: shown === undefined ? {} : shown.stdin,
    stdout: textOf('stdout'),
    stderr: shown === undefined ? textOf('stderr') : shown.stderr(texts),
    workingFolder: '/',
    program: 'tappass',
    nowMs: () => 0,
    interrupt: more.interrupt ?? new AbortController().signal,
  } as unknown as Invocation
  const running = forEachHost(invocation, connectors, names.map(target), {
    ...(more.beforehand === undefined ? {} : { beforehand: more.beforehand }),
    ...(more.probe === undefined ? {} : { probe: more.probe }),
    pause: async () => undefined,
    ...(more.isConfirmedTogether === undefined ? {} : { isConfirmedTogether: more.isConfirmedTogether }),
    work: async (host) => {
      await host.run({ argv: ['true'], effect: 'read' })
      return await work(host.target.name, host.run, host)
    },
  })
  return { code: await running, ...texts, open, openMost }
}

const upToDate: HostResult = { outcome: 'up-to-date', applied: 0, remaining: 0 }

test("forEachHost: one host's failure does not stop the others; all connections are closed", async () => {
  const { code, stdout, open } = await session(['a', 'dark', 'b'], async (name) => {
    if (name === 'a') throw new Failure({ what: 'locked' }, 4)
    return { outcome: 'pending', applied: 0, remaining: 3 }
  })
  const ends = stdout
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

test('forEachHost: twenty are side by side, but not all of many', async () => {
  for (const [count, openAtOnce] of [
    [20, 20],
    [50, 32],
  ] as const) {
    const names = Array.from({ length: count }, (_, index) => `h${index}`)
    const { openMost, stdout } = await session(names, async () => upToDate)
    assert.equal(openMost, openAtOnce)
    assert.equal(stdout.split('"run-finished"').length - 1, count)
  }
})

test('forEachHost: round trips are counted', async () => {
  const { stdout } = await session(['a'], async () => upToDate)
  assert.match(stdout, /"roundTrips":1/)
})

test('forEachHost: lines for people carry the name of the host', async () => {
  const { stderr } = await session(['a', 'b'], async () => upToDate, {})
  assert.match(stderr, /^a: up to date/m)
  assert.match(stderr, /^b: up to date/m)
})

test('forEachHost: a defect is not swallowed, and the other hosts still get to their end', async () => {
  const ended: string[] = []
  const running = session(['a', 'b'], async (name) => {
    if (name === 'a') throw new TypeError('defect')
    ended.push(name)
    return upToDate
  })
  await assert.rejects(running, TypeError)
  assert.deepEqual(ended, ['b'])
})

test('forEachHost: what fails beforehand costs no connection, and the others nothing', async () => {
  const beforehand = async ({ name }: Target) => {
    if (name === 'b') throw new Failure({ what: 'wrong', next: 'write it again' }, 64)
  }
  const { code, openMost, stderr } = await session(['a', 'b', 'c'], async () => upToDate, {}, { beforehand })
  assert.deepEqual([code, openMost], [64, 2])
  assert.match(stderr, /^a {5}up to date {11}0\.0$/m)
  assert.match(stderr, /^b {5}wrong specification {2}0\.0 {6}write it again$/m)
})

test('forEachHost: after an interrupt no further host is begun, and each is in the table', async () => {
  const controller = new AbortController()
  const names = Array.from({ length: 40 }, (_, index) => `h${index}`)
  const begun: string[] = []
  const work = async (name: string) => {
    begun.push(name)
    controller.abort('SIGINT')
    return upToDate
  }
  const { code, stderr } = await session(names, work, {}, { interrupt: controller.signal })
  assert.equal(code, 130)
  assert.ok(begun.length <= 32, `${begun.length}`)
  assert.match(stderr, /^h39 {3}interrupted/m)
  assert.equal(stderr.slice(stderr.indexOf('\nhost')).trim().split('\n').length, 41)
})

test('forEachHost: an interrupt ends what is asked later, too, but not on a host that was changed', async () => {
  for (const [effect, expected] of [
    ['read', 'interrupted'],
    ['change', 'up-to-date'],
  ] as const) {
    const controller = new AbortController()
    const work = async (_: string, run: Runner) => {
      await run({ argv: ['true'], effect })
      controller.abort('SIGINT')
      await run({ argv: ['true'], effect: 'read' })
      return upToDate
    }
    const { stdout } = await session(['a'], work, { json: true }, { interrupt: controller.signal })
    assert.match(stdout, new RegExp(`"outcome":"${expected}"`))
  }
})

test('forEachHost: the batch after one with a failure is never begun, and that is told', async () => {
  const begun: string[] = []
  const work = async (name: string): Promise<HostResult> => {
    begun.push(name)
    return name === 'h2' ? { outcome: 'rolled-back', applied: 1, remaining: 1 } : upToDate
  }
  const names = Array.from({ length: 8 }, (_, index) => `h${index}`)
  const { code, stderr, openMost } = await session(names, work, { batch: '1,25%' })
  // Which of a batch's hosts is reached first is not promised.
  assert.deepEqual([begun[0], begun.toSorted(), code, openMost], ['h0', ['h0', 'h1', 'h2'], 3, 2])
  assert.match(stderr, /^h2 {4}failed; the release before/m)
  assert.match(stderr, /^h3 {4}not begun, because a host before it failed +0\.0/m)
})

/** Five hosts, one a batch, of which some don't become what they should, or are not well later. */
const rollouts: readonly (readonly [
  name: string,
  options: Record<string, string>,
  failing: readonly string[],
  unwell: readonly string[],
  ends: readonly string[],
  code: ExitCode,
])[] = [
  ['one failure too many', {}, ['h1'], [], ['0', '1', '130', '130', '130'], 1],
  ['as many as may fail', { 'max-fail': '1' }, ['h1'], [], ['0', '1', '0', '0', '0'], 1],
  ['a share of all', { 'max-fail': '40%' }, ['h0', 'h2', 'h3'], [], ['1', '0', '1', '1', '130'], 1],
  ['one that is not well before the next batch', {}, [], ['h1'], ['0', '0 1', '130', '130', '130'], 1],
  ['one that may be unwell', { 'max-fail': '1' }, [], ['h1'], ['0', '0 1', '0', '0', '0'], 1],
  ['after the last batch nobody is watched', {}, [], ['h4'], ['0', '0', '0', '0', '0'], 0],
]

for (const [name, options, failing, unwell, ends, code] of rollouts) {
  test(`rollout: ${name}`, async () => {
    const names = ['h0', 'h1', 'h2', 'h3', 'h4']
    const looked: string[] = []
    const result = await session(
      names,
      async (host) => (failing.includes(host) ? { outcome: 'failed', applied: 1, remaining: 1 } : upToDate),
      { batch: '1', json: true, ...options },
      {
        probe: async ({ target: { name: host }, run }) => {
          looked.push(host)
          await run({ argv: ['true'], effect: 'read' })
          return unwell.includes(host) ? ['tappass@1.service'] : []
        },
      },
    )
    const events = result.stdout
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row))
    const codesOf = (host: string) =>
      events.filter((event) => event.event === 'run-finished' && event.host === host).map(({ exitCode }) => exitCode)
    assert.deepEqual(
      names.map((host) => codesOf(host).join(' ')),
      ends,
    )
    assert.deepEqual([result.code, result.open, looked.includes('h4')], [code, 0, false])
    const ill = events.find(({ outcome }) => outcome === 'unhealthy')
    assert.deepEqual(ill?.unhealthy, ends.includes('0 1') ? ['tappass@1.service'] : undefined)
  })
}

test('rollout: all hosts of a batch are watched at once, however many they are', async () => {
  const names = Array.from({ length: 41 }, (_, index) => `h${index}`)
  const probed = new Set<string>()
  const everyone = Promise.withResolvers<void>()
  const { code } = await session(
    names,
    async () => upToDate,
    { batch: '40', json: true },
    {
      probe: async ({ target: { name } }) => {
        probed.add(name)
        if (probed.size === 40) everyone.resolve()
        await everyone.promise
        return []
      },
    },
  )
  assert.deepEqual([code, probed.size], [0, 40])
})

test('rollout: the hosts of a batch are watched side by side, and the others are let go when one ends it', async () => {
  const looks = new Map<string, number>()
  const probe: HostWork['probe'] = async ({ target: { name } }) => {
    const count = (looks.get(name) ?? 0) + 1
    looks.set(name, count)
    // Both are watched before either of them is ill.
    return name === 'h1' && count > 1 && looks.has('h0') ? ['gateway (degraded)'] : []
  }
  // The clock of the session stands still: only who is ill ends this.
  const { code, stderr } = await session(
    ['h0', 'h1', 'h2'],
    async () => upToDate,
    { batch: '2', soak: '1h' },
    { probe },
  )
  assert.equal(code, 1)
  assert.match(stderr, /^h0: watched for 3600 s before the next batch$/m)
  assert.match(stderr, /^h0 {4}up to date/m)
  assert.match(stderr, /^h1 {4}unhealthy/m)
  assert.match(stderr, /^h2 {4}not begun/m)
})

/** What is planned for h0 and h2 is the same; h1 has a change more. */
const planned = (name: string): Event => {
  const files = name === 'h1' ? ['/etc/a', '/etc/b'] : ['/etc/a']
  const changes = files.map((file) => ({ resource: `file:${file}`, action: `write ${file}`, reason: 'it is absent' }))
  return { event: 'plan', resources: 9, changes }
}
const applying = async (name: string, _: Runner, host: HostSession): Promise<HostResult> => {
  host.emit(planned(name))
  const isConfirmed = await host.confirm(name, name === 'h1' ? 2 : 1)
  return isConfirmed ? { ...upToDate, applied: 1 } : { outcome: 'declined', applied: 0, remaining: 1 }
}

test('plans: on a terminal equal ones are shown once, with one question', async () => {
  const everyone = Promise.withResolvers<void>()
  let begun = 0
  const work: typeof applying = async (...given) => {
    if (++begun === 3) everyone.resolve()
    // However slow this machine is, they plan side by side.
    await everyone.promise
    return await applying(...given)
  }
  const { code, stderr } = await session(['h0', 'h1', 'h2'], work, {}, { isConfirmedTogether: true })
  assert.equal(code, 0)
  assert.match(stderr, /^2 hosts with the same plan: h0, h2\n2 hosts: 1 change to 1 of 9 resources:$/m)
  assert.equal(stderr.match(/write \/etc\/a,/g)?.length, 2, 'once for two hosts, once for h1')
  assert.deepEqual(stderr.match(/Make .*\? /g), [
    'Make this change to each of these 2 hosts? ',
    'Make these 2 changes to h1? ',
  ])
})

test('plans: over batches the answer counts for hosts with the same plan', async () => {
  const { code, stderr } = await session(['h0', 'h1', 'h2'], applying, { batch: '1' }, { isConfirmedTogether: true })
  assert.equal(code, 0)
  assert.deepEqual(stderr.match(/Make .*\? /g), [
    'Make this change to h0, and to any of the 2 others if its plan is the same? ',
    'Make these 2 changes to h1, and to the other one if its plan is the same? ',
  ])
  assert.match(stderr, /^h2: the plan is that of h0, and so is the answer$/m)
})

for (const [name, options] of [
  ['--yes', { yes: true }],
  ['--json', { yes: true, json: true }],
] as const) {
  test(`plans: with ${name} each host has its own`, async () => {
    const { code, stdout, stderr } = await session(['h0', 'h1', 'h2'], applying, options, { isConfirmedTogether: true })
    assert.equal(code, 0)
    const text = stdout + stderr
    assert.equal(text.match(/write \/etc\/a\b/g)?.length, 3)
    assert.doesNotMatch(text, /same plan|Make /)
  })
}

test('plans: the verb plan shows equal ones once, on stdout', async () => {
  const work = async (name: string, _: Runner, host: HostSession): Promise<HostResult> => {
    host.emit(planned(name))
    return { outcome: 'pending', applied: 0, remaining: 1 }
  }
  const { code, stdout } = await session(['h0', 'h1', 'h2'], work, {}, { verb: 'plan' })
  assert.equal(code, 2)
  assert.match(stdout, /^2 hosts with the same plan: h0, h2$/m)
  assert.deepEqual([...new Set(stdout.split('\n').map((line) => line.split(': ')[0]))].toSorted(), [
    '',
    '2 hosts',
    '2 hosts with the same plan',
    'h1',
  ])
})
