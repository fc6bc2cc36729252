/** Converging, on this machine's own disk: in order, resumable after a kill at any command, honest about how it ended. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { converge } from '../../../scripts/converge/converge.ts'
import { changeCommand } from '../../../scripts/core/command.ts'
import { Failure, refusedFailure } from '../../../scripts/core/failure.ts'
import type { Runner } from '../../../scripts/core/host.ts'
import type { Resource } from '../../../scripts/core/resource.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { linkCommand } from '../../../scripts/files/link-change.ts'
import type { Event } from '../../../scripts/output/event.ts'
import { directory } from '../../../scripts/resources/directory.ts'
import { file } from '../../../scripts/resources/file.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'
import { recording } from '../recording.ts'

const { uid, gid } = userInfo()
const mine = { owner: uid, group: gid } as const

/** Ten resources, each relying on those before it. */
/** A link as releases and archives are switched by. */
const link = ({ path, target }: Readonly<{ path: string; target: string }>): Resource => ({
  id: `link:${path}`,
  plan: async (getFact) =>
    (await getFact(targetFact(path))) === target
      ? []
      : [{ action: `link ${path} to ${target}`, reason: 'it differs', commands: [linkCommand(path, target)] }],
})

const tree = (root: string): readonly Resource[] => [
  directory({ path: join(root, 'a'), ...mine, mode: '0755' }),
  ...['one', 'two', 'three'].map((name) =>
    file({ path: join(root, 'a', name), content: `${name}\n`, ...mine, mode: '0640' }),
  ),
  directory({ path: join(root, 'a', 'b'), ...mine, mode: '0700' }),
  file({
    path: join(root, 'a', 'b', 'x'),
    content: 'x',
    ...mine,
    mode: '0600',
    check: (candidate) => ['grep', '-q', 'x', candidate],
  }),
  link({ path: join(root, 'a', 'current'), target: 'one' }),
  link({ path: join(root, 'a', 'other'), target: 'b' }),
]

const contextOn = (run: Runner, events: Event[] = [], shouldStop = () => false) => ({
  run,
  reconnect: () => assert.fail('nothing here is guarded'),
  freshFacts: () => createFactReader(run, nonce),
  nonce,
  nowMs: () => 0,
  shouldStop,
  emit: (event: Event) => events.push(event),
  retryCommand: 'tappass bootstrap',
})

/** Names, kinds, modes, targets and contents of everything below. */
const stateOf = (root: string): string =>
  execFileSync('sh', [
    '-c',
    'cd "$1" && find . -printf "%P %y %m %l\\n" | sort && find . -type f | sort | xargs cat',
    'sh',
    root,
  ]).toString()

test('converge: makes everything, then nothing', async (context) => {
  const folder = scratch(context)
  const { run, commands } = recording(hereGuardedIn(folder))
  const events: Event[] = []
  const result = await converge(tree(join(folder, 'r')), contextOn(run, events))
  assert.deepEqual(result, { status: 'up-to-date', applied: 8 })
  const steps = events.flatMap((event) => (event.event === 'step-started' ? [event.step] : []))
  assert.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8])
  const before = commands.length
  assert.deepEqual(await converge(tree(join(folder, 'r')), contextOn(run)), { status: 'up-to-date', applied: 0 })
  assert.equal(commands.length - before, 1, 'a run with nothing to do is one round trip')
})

test('converge: only what differs is touched', async (context) => {
  const folder = scratch(context)
  const root = join(folder, 'r')
  const run = hereGuardedIn(folder)
  await converge(tree(root), contextOn(run))
  writeFileSync(join(root, 'a', 'two'), 'edited')
  chmodSync(join(root, 'a', 'b'), 0o755)
  const events: Event[] = []
  assert.equal((await converge(tree(root), contextOn(run, events))).applied, 2)
  const changed = events.flatMap((event) => (event.event === 'step-started' ? [event.resource] : []))
  assert.deepEqual(changed, [`file:${root}/a/two`, `directory:${root}/a/b`])
})

/** A runner whose toolkit is killed at its n-th change: the command may have run (`isDone`) or not, but nobody hears of it. */
const killedAt = (run: Runner, count: number, isDone: boolean): Runner => {
  let changes = 0
  return async (command, onLine) => {
    if (command.effect === 'change' && ++changes === count) {
      if (isDone) await run(command, onLine)
      throw new Error('killed')
    }
    return await run(command, onLine)
  }
}

test('converge: killed at every change, before it and after it, and run again: the same end state', async (context) => {
  const folder = scratch(context)
  const whole = join(folder, 'whole')
  await converge(tree(whole), contextOn(hereGuardedIn(folder)))
  const expected = stateOf(whole)
  for (let count = 1; count <= 8; count++) {
    for (const isDone of [false, true]) {
      const root = join(folder, 'killed')
      rmSync(root, { recursive: true, force: true })
      await assert.rejects(converge(tree(root), contextOn(killedAt(hereGuardedIn(folder), count, isDone))), /killed/)
      assert.equal((await converge(tree(root), contextOn(hereGuardedIn(folder)))).status, 'up-to-date')
      assert.equal(stateOf(root), expected, `killed at change ${count}`)
    }
  }
})

test('converge: a script cut in the middle of a change is completed by the next run', async (context) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  await converge(tree(join(folder, 'whole')), contextOn(run))
  for (let kept = 1; kept <= 3; kept++) {
    const root = join(folder, `cut-${kept}`)
    // The shell ends after some commands of the change, as when its host loses power.
    const cut: Runner = (command, onLine) => {
      const stdin = String(command.stdin)
      const isChange = command.effect === 'change' && stdin.includes('a/b/.x.tappass-new')
      return run(
        isChange ? { ...command, stdin: stdin.replace(new RegExp(`; end ${kept - 1} \\$\\?`), '; exit 137') } : command,
        onLine,
      )
    }
    assert.equal((await converge(tree(root), contextOn(cut))).status, 'failed')
    assert.equal((await converge(tree(root), contextOn(run))).status, 'up-to-date')
    assert.equal(stateOf(root), stateOf(join(folder, 'whole')))
  }
})

const always = (id: string, command: readonly [string, ...string[]]): Resource => ({
  id,
  plan: async () => [{ action: 'try', reason: 'it must', commands: [changeCommand(...command)] }],
})

test('converge: a step that fails ends the run, and says what ran, what it said, and what to type', async (context) => {
  const folder = scratch(context)
  const events: Event[] = []
  const failing = always('x', ['sh', '-c', 'echo out; echo "no space left" >&2; exit 28'])
  const result = await converge([failing, ...tree(join(folder, 'r'))], contextOn(hereGuardedIn(folder), events))
  assert.equal(result.status, 'failed')
  const { failure, remaining } = result as Extract<typeof result, { status: 'failed' }>
  assert.deepEqual(
    [failure.code, failure.output, failure.next, remaining],
    [28, ['out', 'no space left'], 'tappass bootstrap', 9],
  )
  assert.match(failure.command, /^sh -c .*no space left/)
  assert.equal(events.at(-1)?.event, 'step-failed')
})

test('converge: a change that did not take is a failure, not a loop', async (context) => {
  const result = await converge([always('x', ['true'])], contextOn(hereGuardedIn(scratch(context))))
  assert.equal(result.status, 'failed')
  assert.match(JSON.stringify(result), /still needed after it was applied: try, because it must/)
})

test('converge: what a person must put right is told whole, and nothing is touched', async (context) => {
  const folder = scratch(context)
  const refusing = (id: string): Resource => ({
    id,
    plan: async () => await Promise.reject(refusedFailure(`no ${id}`, 'why', 'next')),
  })
  const { run, commands } = recording(hereGuardedIn(folder))
  const result = await converge([refusing('a'), ...tree(join(folder, 'r')), refusing('b')], contextOn(run))
  assert.deepEqual(result.status === 'refused' && result.reasons.map(({ what, where }) => [what, where]), [
    ['no a', 'a'],
    ['no b', 'b'],
  ])
  assert.ok(commands.every(({ effect }) => effect === 'read'))
})

test('converge: interrupted, it ends after the step in hand', async (context) => {
  const folder = scratch(context)
  let steps = 0
  const result = await converge(
    tree(join(folder, 'r')),
    contextOn(hereGuardedIn(folder), [], () => ++steps > 3),
  )
  assert.deepEqual(result, { status: 'interrupted', remaining: 5, applied: 3 })
  assert.equal(readFileSync(join(folder, 'r/a/two'), 'utf8'), 'two\n')
})

test('converge: a connection that dies on the way is told with how far it came', async (context) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  let changes = 0
  const dying: Runner = async (command, onLine) => {
    if (command.effect === 'change' && ++changes === 3) throw new Failure({ what: 'gone' }, 6)
    return await run(command, onLine)
  }
  const result = await converge(tree(join(folder, 'r')), contextOn(dying))
  assert.deepEqual([result.status, result.applied], ['aborted', 2])
})

test('converge: what a change brings about in another resource is settled in the same run', async (context) => {
  const folder = scratch(context)
  const root = join(folder, 'r')
  mkdirSync(root)
  const copy: Resource = {
    id: 'copy',
    plan: async (getFact) => {
      const same = {
        query: { argv: ['cmp', join(root, 'from'), join(root, 'to')], effect: 'read' },
        parse: ({ code }: { code: number }) => code === 0,
      } as const
      if (await getFact(same)) return []
      return [
        { action: 'copy', reason: 'it differs', commands: [changeCommand('cp', join(root, 'from'), join(root, 'to'))] },
      ]
    },
  }
  const source = file({ path: join(root, 'from'), content: '2', ...mine, mode: '0600' })
  for (const name of ['from', 'to']) writeFileSync(join(root, name), '1', { mode: 0o600 })
  assert.deepEqual(await converge([copy, source], contextOn(hereGuardedIn(folder))), {
    status: 'up-to-date',
    applied: 2,
  })
})

/** A resource that is as desired, and has what another one's failure takes back. */
const undoable = (folder: string, undone: readonly [string, ...string[]]): Resource => ({
  id: 'undoable',
  plan: async () => [],
  undo: async (getFact) =>
    (await getFact(pathFact(join(folder, 'moved')))).kind === 'absent'
      ? []
      : [{ action: 'put it back', reason: 'the run failed', commands: [changeCommand(...undone)] }],
})

const undoRows = [
  { name: 'what was moved goes back', isMoved: true, undo: 'rm "$1/moved"', status: 'rolled-back' },
  { name: 'nothing was moved', isMoved: false, undo: 'rm "$1/moved"', status: 'failed' },
  { name: 'what was moved does not go back', isMoved: true, undo: 'exit 9', status: 'failed' },
  { name: 'it says that it went back, and did not', isMoved: true, undo: 'true', status: 'failed' },
] as const

for (const { name, isMoved, undo, status } of undoRows) {
  test(`converge: after a step that failed, ${name}: ${status}`, async (context) => {
    const folder = scratch(context)
    if (isMoved) writeFileSync(join(folder, 'moved'), '')
    const resources = [undoable(folder, ['sh', '-euc', undo, 'sh', folder]), always('x', ['false'])]
    const result = await converge(resources, contextOn(hereGuardedIn(folder)))
    assert.equal(result.status, status)
    assert.equal('failure' in result && result.failure.resource, 'x', 'the first failure is the one to report')
  })
}

test('converge: as desired and not well is not up to date; what is well again in a moment is', async (context) => {
  const folder = scratch(context)
  const waits: string[] = []
  const quick: Runner = async (command, onLine) => {
    if (command.argv[0] !== 'sleep') return await hereGuardedIn(folder)(command, onLine)
    waits.push(command.argv[1] ?? '')
    return { code: 0, stdout: '', stderr: '' }
  }
  const sick = (seconds: number): Resource => ({
    id: 'sick',
    plan: async () => [],
    health: async () => (2 * waits.length < seconds ? 'x@1.service (unhealthy: redis)' : undefined),
  })
  assert.deepEqual(await converge([sick(99)], contextOn(quick)), {
    status: 'unhealthy',
    unhealthy: ['x@1.service (unhealthy: redis)'],
    applied: 0,
  })
  waits.length = 0
  assert.deepEqual(await converge([sick(2)], contextOn(quick)), { status: 'up-to-date', applied: 0 })
})

test('converge: a run that nobody watches does not begin a guarded change, does all else, and says so', async (context) => {
  const folder = scratch(context)
  const root = join(folder, 'r')
  const [first, ...others] = tree(root)
  assert.ok(first)
  const path = join(folder, 'guarded')
  const guarded: Resource = {
    id: 'packet-filter:x',
    plan: async () => [
      {
        action: 'close',
        reason: 'it is open',
        commands: [changeCommand('touch', path)],
        guard: { paths: [], units: [] },
      },
    ],
  }
  const run = hereGuardedIn(folder)
  const watch = { isWatched: async () => false, awaitConfirmation: () => assert.fail('there is nobody to wait for') }
  const result = await converge([first, guarded, ...others], { ...contextOn(run), watch })
  assert.equal(result.status, 'rolled-back')
  assert.equal(result.applied, 8)
  assert.equal('failure' in result && 'isPutBack' in result.failure && result.failure.isPutBack, true)
  assert.equal((await converge(tree(root), contextOn(run))).applied, 0)
  assert.throws(() => readFileSync(path))
})
