/** A plan on file: what it refuses and what it does not, and a run that is held to it, on this machine's own disk. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { converge } from '../../../scripts/converge/converge.ts'
import { planAll } from '../../../scripts/converge/plan.ts'
import { createPlanContract } from '../../../scripts/converge/plan-contract.ts'
import { readPlanFile, writePlanFile } from '../../../scripts/converge/plan-file.ts'
import { hostPlanOf } from '../../../scripts/converge/plan-record.ts'
import { changeCommand, scriptCommand } from '../../../scripts/core/command.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import type { Command, Fact, Runner } from '../../../scripts/core/host.ts'
import type { Resource } from '../../../scripts/core/resource.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { directory } from '../../../scripts/resources/directory.ts'
import { file } from '../../../scripts/resources/file.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'
import { specOf } from '../roles/blank-host.ts'

const { uid, gid } = userInfo()
const mine = { owner: uid, group: gid } as const

/** Asks how often the file `asked` was written to, and each time gets another answer: as a clock does. */
const clock = (isVolatile: boolean): Resource => {
  const fact: Fact<string> = {
    query: { argv: ['sh', '-c', 'cat /proc/uptime /proc/sys/kernel/random/uuid'], effect: 'read' },
    parse: ({ stdout }) => stdout,
    ...(isVolatile ? { planned: () => undefined } : {}),
  }
  return { id: 'clock:host', plan: async (getFact) => ((await getFact(fact)) === '' ? [] : []) }
}

const tree = (root: string, content = 'one\n'): readonly Resource[] => [
  directory({ path: join(root, 'a'), ...mine, mode: '0755' }),
  file({ path: join(root, 'a', 'one'), content, ...mine, mode: '0640' }),
  file({ path: join(root, 'two'), content: 'two\n', ...mine, mode: '0640' }),
  clock(true),
]

const onDisk = (context: TestContext) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  const plan = (resources: readonly Resource[]) => planAll(resources, createFactReader(run, nonce))
  return { folder, run, plan }
}

const keep = async (context: TestContext, resources: (root: string) => readonly Resource[], spec = specOf()) => {
  const disk = onDisk(context)
  const planned = hostPlanOf(await disk.plan(resources(disk.folder)), spec, 'salt')
  const contract = (now = spec) =>
    createPlanContract({ planned, salt: 'salt', digest: '', next: 'tappass plan --out FILE' }, now)
  return { ...disk, planned, contract }
}

const convergeWith = (run: Runner, contract: ReturnType<typeof createPlanContract>, resources: readonly Resource[]) =>
  converge(resources, {
    ...{ run, nonce, contract, nowMs: () => 0, shouldStop: () => false, retryCommand: 'tappass bootstrap' },
    freshFacts: () => createFactReader(run, nonce),
    reconnect: () => assert.fail('nothing here is guarded'),
    emit: () => undefined,
  })

/** What was done to the disk, or is asked for, after the plan; and what is said then. */
const rows: readonly Readonly<{
  name: string
  disturb?: (root: string) => void
  content?: string
  spec?: unknown
  says: readonly RegExp[]
}>[] = [
  { name: 'nothing', says: [] },
  {
    name: 'a file of the plan was written meanwhile',
    disturb: (root) => writeFileSync(join(root, 'two'), 'other\n'),
    says: [/^file:\S+\/two is not as planned: (?:.|\n)*planned \{"kind":"absent"\}, now \{"kind":"file"/],
  },
  {
    name: 'what the plan would make was made',
    disturb: (root) => {
      writeFileSync(join(root, 'two'), 'two\n')
      chmodSync(join(root, 'two'), 0o640)
    },
    says: [/^file:\S+\/two is not as planned: planned: write \S+\/two; now: no change/],
  },
  {
    name: 'other content is asked for',
    content: '1\n',
    says: [/\/a\/one is not as planned: write .*other commands or content/],
  },
  {
    name: 'another setting',
    spec: { gateway: { callsMax: 7 } },
    says: [/^the specification is not the planned one: gateway\.callsMax: planned \d+, now 7/],
  },
]

for (const { name, disturb, content, spec, says } of rows) {
  test(`a plan on file: ${name}`, async (context) => {
    const { folder, run, plan, contract } = await keep(context, tree)
    disturb?.(folder)
    const before = existsSync(join(folder, 'a'))
    const resources = tree(folder, content)
    const held = contract(spec === undefined ? undefined : specOf(spec))
    const differences = held.differences(await plan(resources)).map(({ what, why }) => `${what}: ${why}`)
    assert.equal(differences.length, says.length, differences.join('\n'))
    for (const [index, pattern] of says.entries()) assert.match(differences[index] ?? '', pattern)
    const result = await convergeWith(run, contract(spec === undefined ? undefined : specOf(spec)), resources)
    assert.equal(result.status, says.length === 0 ? 'up-to-date' : 'refused')
    assert.equal(existsSync(join(folder, 'a')), says.length === 0 || before, 'nothing is touched')
  })
}

test('a plan on file: an answer that changes by itself counts only where nobody said so', async (context) => {
  for (const isVolatile of [true, false]) {
    const { plan, contract } = await keep(context, () => [clock(isVolatile)])
    const differences = contract().differences(await plan([clock(isVolatile)]))
    assert.deepEqual(
      differences.map(({ what }) => what),
      isVolatile ? [] : ['clock:host is not as planned'],
    )
  }
})

/** Applies after its neighbours what it sees then: `depends` is the file that it reads. */
const follower = (root: string, depends: string): Resource => {
  const seen: Fact<string> = {
    query: { argv: ['base64', '-w0', '--', join(root, depends)], effect: 'read' },
    parse: ({ stdout }) => stdout,
  }
  const copy = join(root, 'copy')
  const stored: Fact<string> = {
    query: { argv: ['base64', '-w0', '--', copy], effect: 'read' },
    parse: ({ stdout }) => stdout,
  }
  return {
    id: `copy:${copy}`,
    plan: async (getFact) => {
      const [text, own] = await Promise.all([getFact(seen), getFact(stored)])
      if (text === own) return []
      const commands = [scriptCommand('printf %s "$1" | base64 -d >"$2"', [text, copy])] as const
      return [{ action: `copy ${depends}`, reason: 'it differs', commands }]
    },
  }
}

test('a plan on file: what follows from a change of the plan is named in it, and done', async (context) => {
  const resources = (root: string) => [...tree(root), follower(root, 'a/one')]
  const { folder, run, planned, contract } = await keep(context, resources)
  assert.deepEqual(planned.duringRun, [`file:${folder}/a/one`, `copy:${folder}/copy`])
  const result = await convergeWith(run, contract(), resources(folder))
  assert.equal(result.status, 'up-to-date', JSON.stringify(result))
  assert.equal(readFileSync(join(folder, 'copy'), 'utf8'), 'one\n')
})

/** What was done to the disk while a run changed hands, and what is said then. */
const handed: readonly (readonly [name: string, meddle: (root: string) => void, says: RegExp | undefined])[] = [
  ['nothing', () => undefined, undefined],
  ['a file of the plan was written', (root) => writeFileSync(join(root, 'two'), 'other\n'), /two is not as planned/],
  ['what was done already was undone', (root) => chmodSync(join(root, 'a'), 0o700), /a has become another/],
]

for (const [name, meddle, says] of handed)
  test(`a plan on file: a run goes on with it elsewhere, from what is kept of it as text; meanwhile ${name}`, async (context) => {
    const resources = (root: string) => [...tree(root), follower(root, 'a/one')]
    const { folder, run, plan, planned, contract } = await keep(context, resources)
    const all = resources(folder)
    const first = contract()
    assert.deepEqual(first.differences(await plan(all)), [])
    // The folder and the file in it, which the follower reads.
    const begun = await convergeWith(run, { ...first, differences: () => [] }, all.slice(0, 2))
    assert.equal(begun.status, 'up-to-date')
    meddle(folder)
    const kept = JSON.parse(JSON.stringify(first.kept())) as ReturnType<typeof first.kept>
    assert.deepEqual(kept.plan.planned, planned)
    const result = await convergeWith(run, createPlanContract(kept.plan, specOf(), kept.progress), all)
    assert.equal(result.status === 'up-to-date', says === undefined, JSON.stringify(result))
    if (says !== undefined) assert.match(JSON.stringify(result), says)
    assert.equal(existsSync(join(folder, 'copy')), says === undefined)
  })

test('a plan on file: what somebody else does during the run stops it before that step', async (context) => {
  const outside = (root: string) => follower(root, 'outside')
  const resources = (root: string) => [...tree(root), outside(root)]
  const { folder, run, contract } = await keep(context, resources)
  const meddled: Runner = (command: Command, onLine) => {
    if (command.effect === 'change') writeFileSync(join(folder, 'outside'), 'somebody\n')
    return run(command, onLine)
  }
  // It has no change in the plan, and nothing that the run does reaches the file that it reads.
  const result = await convergeWith(meddled, contract(), resources(folder))
  assert.ok(result.status === 'aborted', JSON.stringify(result))
  assert.deepEqual([result.applied, result.failure.code], [3, 5])
  assert.match(result.failure.text.what, /^copy:\S+ has become another one than planned during the run/)
  assert.equal(existsSync(join(folder, 'copy')), false)
})

test('the file: only its owner reads it, canonical, and an altered one is refused', async (context) => {
  const { folder, planned } = await keep(context, tree)
  const path = join(folder, 'plan.json')
  writeFileSync(path, 'older', { mode: 0o644 })
  const content = { createdAt: 'now', release: '1', salt: 'salt', hosts: { 'root@a': planned } }
  await writePlanFile(path, content)
  const text = readFileSync(path, 'utf8')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await writePlanFile(path, content)
  assert.equal(readFileSync(path, 'utf8'), text)
  assert.deepEqual((await readPlanFile(path, 'x')).hosts['root@a'], planned)
  for (const [altered, code] of [
    [text.replace('"release": "1"', '"release": "2"'), 5],
    [text.replace('tappass-plan/1', 'tappass-plan/9'), 64],
    [text.slice(0, 100), 64],
    ['{}', 64],
  ] as const) {
    writeFileSync(path, altered)
    await assert.rejects(readPlanFile(path, 'x'), (error) => error instanceof Failure && error.code === code)
  }
})

test('a plan has no secret, and a renewal of what is known of others is no change of it', async (context) => {
  const value = ['sk', 'a'.repeat(20)].join('-')
  const provided = { sha256: 'd'.repeat(64), readValue: () => value }
  const resource: Resource = {
    id: 'secret:x',
    plan: async () => [
      {
        action: 'store',
        reason: 'it is absent',
        commands: [
          { ...changeCommand('apt-get', 'update'), isRenewal: true },
          { ...scriptCommand('cat', [], value), isSecret: true },
        ],
      },
    ],
  }
  const { planned } = await keep(context, () => [resource], { ...specOf(), secrets: { 'openai-api-key': provided } })
  const text = JSON.stringify(planned)
  assert.doesNotMatch(text, new RegExp(`${value}|${provided.sha256}|apt-get`))
  assert.match(text, /"stdin":"secret"/)
})
