/** A check for drift by the host's own shell on this machine, with its folders moved into one of the test's: what differs, and when it is not compared. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { HOST_PATH } from '../../../contract/path.ts'
import { inputsText } from '../../../scripts/artifacts/sent-file.ts'
import { restoreRun } from '../../../scripts/converge/restoration.ts'
import { beginOf, endOf, type RunHistory } from '../../../scripts/converge/run-history.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import type { Runner } from '../../../scripts/core/host.ts'
import { checkDrift } from '../../../scripts/drift/drift-check.ts'
import { recordCommand } from '../../../scripts/drift/report.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { verifyHistory } from '../../../scripts/history/entry.ts'
import { historyFact } from '../../../scripts/history/history-fact.ts'
import type { Event } from '../../../scripts/output/event.ts'
import { file } from '../../../scripts/resources/file.ts'
import type { HostSession } from '../../../scripts/session/host-session.ts'
import type { HostSpec } from '../../../scripts/spec/host-spec.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'
import { specOf } from '../roles/blank-host.ts'

const owner = process.getuid?.() ?? 0
const group = process.getgid?.() ?? 0
const SETTINGS = 'gateway: {}\n'

/** Paths of a server on the way in, and as they are there on the way out. */
const movedInto = (folder: string): Runner => {
  const run = hereGuardedIn(folder)
  const moves = [
    [HOST_PATH.driftFolder, `${folder}/drift`],
    [HOST_PATH.configFolder, `${folder}/etc`],
  ] as const
  const into = (text: string) => moves.reduce((moved, [from, to]) => moved.replaceAll(from, to), text)
  const back = (text: string) => moves.reduce((moved, [from, to]) => moved.replaceAll(to, from), text)
  // Contents of files come in base64.
  const out = (text: string) =>
    back(text).replaceAll(/[A-Za-z0-9+/]{40,}={0,2}/g, (word) => {
      const decoded = Buffer.from(word, 'base64').toString()
      return back(decoded) === decoded ? word : Buffer.from(back(decoded)).toString('base64')
    })
  return async (command, onLine) => {
    const argv = command.argv.map(into) as [string, ...string[]]
    const stdin = typeof command.stdin === 'string' ? { stdin: into(command.stdin) } : {}
    const { code, ...output } = await run({ ...command, ...stdin, argv }, onLine)
    const stdout = out(output.stdout)
    // The host signs what it has printed.
    const sum = createHash('sha256').update(stdout).digest('hex')
    return { code, stdout, stderr: output.stderr.replace(/ sum [0-9a-f]{64}/, ` sum ${sum}`) }
  }
}

const resourcesOf = (spec: HostSpec) =>
  [
    [HOST_PATH.caddyfile, ':80\n'],
    [HOST_PATH.inputs, inputsText(spec)],
    [HOST_PATH.settings, SETTINGS],
  ].map(([path = '', content = '']) => file({ path, content, owner, group, mode: '0644' }))

const serverIn = (context: TestContext) => {
  const folder = scratch(context)
  mkdirSync(join(folder, 'etc'))
  const run = movedInto(folder)
  const freshFacts = () => createFactReader(run, nonce)
  const spec = specOf()
  const history: RunHistory = { spec, marked: () => resourcesOf(spec) }
  const write = () => {
    for (const [name, text] of [
      ['Caddyfile', ':80\n'],
      ['inputs.json', inputsText(spec)],
      ['tappass.yaml', SETTINGS],
    ] as const)
      writeFileSync(join(folder, 'etc', name), text, { mode: 0o644 })
  }
  const begin = (release = spec.release.version) =>
    run(
      beginOf(
        { ...history, spec: { ...spec, release: { ...spec.release, version: release } } },
        { operator: 'ada@desk', sshUser: '', verb: 'bootstrap' },
        [],
      ),
    )
  const noteRun = async (outcome = 'up-to-date', release?: string) => {
    await begin(release)
    write()
    const { code, stderr } = await run(await endOf(history, resourcesOf(spec), freshFacts(), { outcome, applied: [] }))
    assert.equal(code, 0, stderr)
  }
  const owner = { token: 'x', owner: 'ada', verb: 'drift', controller: 'here', pid: 1, pidStart: '', startedAt: '' }
  const check = () =>
    checkDrift({
      ...{ freshFacts, resourcesOf, specFrom: async () => spec, nowMs: () => Date.now() },
      holder: {
        ...{ run, freshFacts, owner, retryCommand: 'tappass drift', emit: () => undefined },
        stateOfOwner: () => 'unknown',
      },
    })
  const events: Event[] = []
  const host = { run, freshFacts, emit: (event: Event) => events.push(event) } as unknown as HostSession
  const restore = async (number: number) => {
    const { generations, problems } = verifyHistory(await freshFacts()(historyFact))
    const generation = generations.find((each) => each.number === number) ?? assert.fail(`no run ${number}`)
    const none = () => assert.fail('nothing may be asked of the plan')
    const invocation = { options: {} } as unknown as Parameters<typeof restoreRun>[0]
    const { outcome } = await restoreRun(invocation, host, generation, {
      ...{ problems, confirm: none, waiting: '', specFrom: async () => spec, resourcesOf: none, markedOf: none },
    })
    return { outcome, reasons: events.flatMap((event) => (event.event === 'refused' ? event.reasons : [])) }
  }
  return { folder, run, begin, noteRun, check, restore, path: (name: string) => join(folder, 'etc', name) }
}

test('drift: nothing, then an edited file, its owner’s mode and edited settings: each is named, with its time', async (context) => {
  const { noteRun, check, path } = serverIn(context)
  await noteRun()
  const clean = await check()
  assert.deepEqual([clean.record.problem, clean.record.findings, clean.record.run], [undefined, [], 1])
  appendFileSync(path('Caddyfile'), '# by hand\n')
  writeFileSync(path('tappass.yaml'), 'instances: 32\n')
  rmSync(path('inputs.json'))
  const { record } = await check()
  assert.deepEqual(
    record.findings.map(({ resource, reason }) => [resource, reason]),
    [
      [`file:${HOST_PATH.caddyfile}`, 'its content differs'],
      [`file:${HOST_PATH.inputs}`, 'it is absent'],
      [`file:${HOST_PATH.settings}`, 'its content differs'],
    ],
  )
  for (const { changedAt = '', who } of record.findings) {
    assert.ok(Math.abs(Date.parse(changedAt) - Date.now()) < 60_000, changedAt)
    assert.ok(['unknown', 'present'].includes(who.kind), JSON.stringify(who))
  }
  assert.deepEqual(record.obstacles, [])
})

test('drift: what is found is written for root alone, the first sight of it stays, and a marker says that it can be put back', async (context) => {
  const { folder, run, noteRun, check, path } = serverIn(context)
  await noteRun()
  appendFileSync(path('Caddyfile'), '# by hand\n')
  const first = (await check()).record
  const seen = { ...first, findings: first.findings.map((each) => ({ ...each, seenAt: '2026-01-01T00:00:00Z' })) }
  assert.equal((await run(recordCommand(seen))).code, 0)
  assert.equal(statSync(join(folder, 'drift/last.json')).mode & 0o777, 0o600)
  assert.ok(existsSync(join(folder, 'drift/repairable')))
  assert.match(readFileSync(join(folder, 'drift/tappass-drift.prom'), 'utf8'), /^tappass_drift_findings 1$/m)
  assert.deepEqual(
    (await check()).record.findings.map(({ seenAt }) => seenAt),
    ['2026-01-01T00:00:00Z'],
  )
  writeFileSync(path('Caddyfile'), ':80\n')
  assert.equal((await run(recordCommand((await check()).record))).code, 0)
  assert.ok(!existsSync(join(folder, 'drift/repairable')))
})

test('drift: a run that failed after the last whole one: it is compared with that, and nothing is put back', async (context) => {
  const { noteRun, check } = serverIn(context)
  await noteRun()
  await noteRun('failed')
  const { record } = await check()
  assert.deepEqual([record.run, record.obstacles.length], [1, 1])
  assert.match(record.obstacles[0] ?? '', /^run 2 came after run 1 \(failed\)/)
})

for (const [name, disturb, problem] of [
  ['no run', async () => undefined, /^no run of this release has reached its end here$/],
  [
    'a run of another release',
    ({ noteRun }) => noteRun('up-to-date', '9.9.9-aaaaaaaaaaaa'),
    /^run 1 was of release 9\.9\.9-a+, and this is 0\.0\.0-0+$/,
  ],
  [
    'a log that was altered',
    async ({ noteRun, folder }) => {
      await noteRun()
      appendFileSync(join(folder, 'history/entries/000001-begun.json'), ' ')
    },
    /^the chain of the log is broken at 000001/,
  ],
] as const satisfies readonly (readonly [string, (server: ReturnType<typeof serverIn>) => Promise<void>, RegExp])[]) {
  test(`drift: ${name} is not compared, and says so`, async (context) => {
    const server = serverIn(context)
    await disturb(server)
    const { record } = await server.check()
    assert.match(record.problem ?? '', problem)
    assert.deepEqual(record.findings, [])
  })
}

test('drift: while a run changes the host it is not checked (exit 4)', async (context) => {
  const { folder, noteRun, check } = serverIn(context)
  await noteRun()
  mkdirSync(join(folder, 'run'), { recursive: true })
  writeFileSync(
    join(folder, 'run/lock'),
    `t\n${JSON.stringify({ owner: 'ada', controller: 'desk', hostBoot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() })}\n`,
  )
  await assert.rejects(check(), ({ code }: Failure) => code === 4)
})

for (const [name, prepare, reason] of [
  ['failed', ({ noteRun }) => noteRun('failed'), /its settings were not reached as a whole \(failed\)/],
  ['was killed', async ({ begin }) => void (await begin()), /\(not ended\)/],
  [
    'was of another release that is not there any more',
    ({ noteRun }) => noteRun('up-to-date', '9.9.9-aaaaaaaaaaaa'),
    /^run 1 was of release 9\.9\.9/,
  ],
  [
    'stands in a log that was altered',
    async ({ noteRun, folder }) => {
      await noteRun()
      appendFileSync(join(folder, 'history/entries/000001-ended.json'), ' ')
    },
    /000001-ended\.json: it was not read whole|000001-ended/,
  ],
] as const satisfies readonly (readonly [string, (server: ReturnType<typeof serverIn>) => Promise<void>, RegExp])[]) {
  test(`restore: a run that ${name} is refused before anything is planned`, async (context) => {
    const server = serverIn(context)
    await prepare(server)
    const { outcome, reasons } = await server.restore(1)
    assert.equal(outcome, 'refused')
    assert.match(reasons[0]?.why ?? '', reason)
    assert.ok((reasons[0]?.next ?? '') !== '')
  })
}
