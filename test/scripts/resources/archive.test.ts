/** Archives of programs: rows of facts, and real ones from the controller's disk. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { HOST_PATH } from '../../../contract/path.ts'
import { measureFile } from '../../../scripts/artifacts/artifact-measurement.ts'
import { contentFact, type PathState, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { unsafePathFact } from '../../../scripts/facts/permission.ts'
import { programFingerprintFact } from '../../../scripts/facts/program-fingerprint.ts'
import { type Reachability, reachabilityFact } from '../../../scripts/facts/reachability.ts'
import { archive } from '../../../scripts/resources/archive.ts'
import { applyHere, argvOf, factReaderOf, factRow, factsHere, here, planLines, scratch, traits } from '../known-host.ts'

const folder = { kind: 'directory', mode: '0755', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
const there = '0123456789abcdef'
const url = 'https://programs.example/p.tar.gz'
const options = {
  source: { downloads: { 'linux-x64': { url, sha256: 'aa' } }, remedy: 'downloads.p', setting: 'p' },
  path: '/opt/p/2',
  link: '/opt/p/current',
  executable: 'bin/p',
} as const

type Row = Readonly<{
  name: string
  unpacked?: string
  program?: string
  unguarded?: string
  target?: string
  left?: PathState
  changes: readonly string[]
}>
const rows: readonly Row[] = [
  {
    name: 'absent',
    changes: [
      `unpack ${url} at /opt/p/2, because it is absent`,
      'link /opt/p/current to /opt/p/2, because it is absent',
    ],
  },
  { name: 'up to date', unpacked: `aa\n${there}`, program: there, target: '/opt/p/2', changes: [] },
  {
    name: 'the older one is in force',
    unpacked: `aa\n${there}`,
    program: there,
    target: '/opt/p/1',
    changes: ['link /opt/p/current to /opt/p/2, because it points to /opt/p/1'],
  },
  {
    name: 'another archive was unpacked',
    unpacked: `bb\n${there}`,
    program: there,
    target: '/opt/p/2',
    changes: [`unpack ${url} at /opt/p/2, because it was unpacked from another archive`],
  },
  {
    name: 'a run was killed after it was swapped in',
    unpacked: `aa\n${there}`,
    program: there,
    target: '/opt/p/2',
    left: folder,
    changes: ['remove /opt/p/.tappass-new, because an interrupted run left it'],
  },
  {
    name: 'its program is another than the one that was unpacked',
    unpacked: `aa\n${there}`,
    program: 'fedcba9876543210',
    target: '/opt/p/2',
    changes: [`unpack ${url} at /opt/p/2, because bin/p was changed after it was unpacked`],
  },
  {
    name: 'unpacked by an older toolkit, which noted nothing of the program',
    unpacked: 'aa',
    program: there,
    target: '/opt/p/2',
    changes: [`unpack ${url} at /opt/p/2, because no fingerprint of bin/p is recorded`],
  },
  {
    name: 'others may write in it',
    unpacked: `aa\n${there}`,
    program: there,
    unguarded: '/opt/p/2/bin',
    target: '/opt/p/2',
    changes: [
      `unpack ${url} at /opt/p/2, because /opt/p/2/bin is writable by others than its owner, or not readable by all`,
    ],
  },
  {
    name: 'its program is gone',
    unpacked: `aa\n${there}`,
    target: '/opt/p/2',
    changes: [`unpack ${url} at /opt/p/2, because it is absent`],
  },
]

/** The digests that were accepted before. */
const lockRow = (digests?: Readonly<Record<string, string>>) =>
  factRow(contentFact(HOST_PATH.versions), digests && stringify({ release: '1', digests }))

const factsOf = (
  { unpacked, program, unguarded, target, left = { kind: 'absent' } }: Omit<Row, 'name' | 'changes'>,
  platform = 'linux-x64',
  standing: PathState = { kind: 'absent' },
  way: Reachability = 'reachable',
) => [
  factRow(reachabilityFact('programs.example'), way),
  traits({ platform }),
  lockRow(),
  factRow(contentFact('/opt/p/2/.tappass-archive'), unpacked),
  factRow(programFingerprintFact('/opt/p/2/bin/p'), program),
  factRow(unsafePathFact('/opt/p/2'), unguarded),
  factRow(targetFact('/opt/p/current'), target),
  factRow(pathFact('/opt/p/current'), standing),
  factRow(pathFact('/opt/p/.tappass-new'), left),
]

for (const row of rows) {
  test(`archive: ${row.name}`, async () =>
    assert.deepEqual(await planLines(archive(options), factsOf(row)), row.changes))
}

/** What was accepted under the name before, and whether the archive may be used. */
const locks: readonly (readonly [name: string, digests: Readonly<Record<string, string>>, isAccepted: boolean])[] = [
  ['the same', { '/opt/p/2': 'sha256:aa' }, true],
  ['another version only', { '/opt/p/1': 'sha256:bb' }, true],
  ['something else', { '/opt/p/2': 'sha256:bb' }, false],
]
for (const [name, digests, isAccepted] of locks) {
  test(`archive: accepted before was ${name}`, async () => {
    const planned = planLines(archive(options), [...factsOf({}), lockRow(digests)])
    if (isAccepted) assert.equal((await planned).length, 2)
    else
      await assert.rejects(planned, {
        code: 5,
        message: '/opt/p/2 is another one than was first accepted under this version',
      })
  })
}

test('archive: a machine for which nothing is published is refused', async () => {
  await assert.rejects(planLines(archive(options), factsOf({}, 'linux-riscv64')), { code: 5 })
})

test('archive: where there is no way to the vendor, what must be fetched is refused, and what is there already is not', async () => {
  const absent = { kind: 'absent' } as const
  await assert.rejects(planLines(archive(options), factsOf({}, 'linux-x64', absent, 'no-ipv6')), { code: 5 })
  const there = { unpacked: 'aa\n0123456789abcdef', program: '0123456789abcdef', target: '/opt/p/2' }
  assert.deepEqual(await planLines(archive(options), factsOf(there, 'linux-x64', absent, 'no-ipv6')), [])
})

test('archive: a proxy fetches it, so the way of the host itself is not asked about', async () => {
  const downloads = { 'linux-x64': { url, sha256: 'aa', proxy: 'http://proxy.example:3128' } }
  const [, ...facts] = factsOf({})
  assert.equal(
    (await planLines(archive({ ...options, source: { downloads, remedy: '', setting: 'p' } }), facts)).length,
    2,
  )
})

test('archive: a directory in the place of the link is refused', async () => {
  const facts = factsOf({ unpacked: `aa\n${there}`, program: there }, 'linux-x64', folder)
  await assert.rejects(planLines(archive(options), facts), { code: 5, message: '/opt/p/current is not a link' })
})

test('archive: downloaded over TLS only, checked before it is unpacked', async () => {
  const argv = argvOf(await archive(options).plan(factReaderOf(factsOf({}))))
  const [, fetch, check, unpack] = argv.map((words) => words.join(' '))
  assert.match(fetch ?? '', /^curl .*--proto =https .*-- https:/)
  assert.match(check ?? '', /sha256sum -c/)
  assert.match(unpack ?? '', /tar -xzf/)
})

const pack = (folder: string): string => {
  mkdirSync(join(folder, 'p-2', 'bin'), { recursive: true })
  writeFileSync(join(folder, 'p-2', 'bin', 'p'), '#!/bin/sh\n', { mode: 0o755 })
  const path = join(folder, "it's p.tar.gz")
  execFileSync('tar', ['-czf', path, '-C', folder, 'p-2'])
  return path
}

test('archive: sent from the controller, installed completely, damage repaired', async (context) => {
  const folder = scratch(context)
  const source = await measureFile(pack(folder))
  const [path, link] = [join(folder, 'opt', '2'), join(folder, 'opt', 'current')]
  const wanted = archive({ source, path, link, strip: 1, executable: 'bin/p' })
  await applyHere(wanted)
  assert.equal(readlinkSync(link), path)
  assert.equal(readFileSync(join(link, 'bin', 'p'), 'utf8'), '#!/bin/sh\n')
  rmSync(join(path, 'bin', 'p'))
  await applyHere(wanted)
  assert.deepEqual(readdirSync(join(folder, 'opt')).toSorted(), ['2', 'current'])
})

/** Each leaves the size as it was, but for the first two. */
const damages: readonly Readonly<{ name: string; harm: (program: string) => void; reason?: RegExp }>[] = [
  { name: 'bytes added', harm: (program) => appendFileSync(program, '# x\n') },
  { name: 'cut short', harm: (program) => truncateSync(program, 3) },
  { name: 'bytes changed', harm: (program) => writeFileSync(program, '#!/bin/zz\n') },
  {
    name: 'bytes changed, and its time set back',
    harm: (program) => {
      const { atime, mtime } = statSync(program)
      writeFileSync(program, '#!/bin/zz\n')
      utimesSync(program, atime, mtime)
    },
  },
  {
    name: 'replaced by a copy',
    harm: (program) => {
      writeFileSync(`${program}2`, readFileSync(program), { mode: 0o755 })
      renameSync(`${program}2`, program)
    },
  },
  { name: 'not to be executed any more', harm: (program) => chmodSync(program, 0o644) },
  {
    name: 'in a folder that all may write',
    harm: (program) => chmodSync(join(program, '..'), 0o777),
    reason: /^\S+\/bin is writable by others than its owner, or not readable by all$/,
  },
]

for (const { name, harm, reason = /^bin\/p was changed after it was unpacked$/ } of damages) {
  test(`archive: a program ${name} is detected and unpacked again`, async (context) => {
    const root = scratch(context)
    const source = await measureFile(pack(root))
    const path = join(root, 'opt', '2')
    const wanted = archive({ source, path, strip: 1, executable: 'bin/p' })
    await applyHere(wanted)
    harm(join(path, 'bin', 'p'))
    const changes = await applyHere(wanted)
    assert.equal(changes.length, 1)
    assert.match(changes[0]?.reason ?? '', reason)
    assert.equal(readFileSync(join(path, 'bin', 'p'), 'utf8'), '#!/bin/sh\n')
    assert.equal(statSync(join(path, 'bin', 'p')).mode & 0o777, 0o755)
  })
}

test('archive: an umask that keeps others out does not keep them from the program', async (context) => {
  const root = scratch(context)
  const source = await measureFile(pack(root))
  const path = join(root, 'opt', '2')
  const before = process.umask(0o077)
  context.after(() => process.umask(before))
  await applyHere(archive({ source, path, strip: 1, executable: 'bin/p' }))
  assert.equal(statSync(path).mode & 0o777, 0o755)
})

test('archive: what arrived cut short is never unpacked', async (context) => {
  const folder = scratch(context)
  const whole = await measureFile(pack(folder))
  writeFileSync(whole.file, readFileSync(whole.file).subarray(0, -10))
  const path = join(folder, 'opt', '2')
  const [change] = await archive({ source: whole, path, strip: 1, executable: 'bin/p' }).plan(factsHere())
  const [make, send, check] = change?.commands ?? []
  if (make !== undefined) await here(make)
  assert.equal(send === undefined ? -1 : (await here(send)).code, 0)
  assert.notEqual(check === undefined ? 0 : (await here(check)).code, 0)
  assert.deepEqual((await here({ argv: ['ls', path], effect: 'read' })).stdout, '')
})

test('archive: killed after any command, it is completed by the next run', async (context) => {
  const folder = scratch(context)
  const source = await measureFile(pack(folder))
  for (const killedAfter of [1, 2, 3, 4, 5, 6]) {
    const path = join(folder, `opt-${killedAfter}`, '2')
    const wanted = archive({ source, path, strip: 1, executable: 'bin/p' })
    const [change] = await wanted.plan(factsHere())
    for (const command of change?.commands.slice(0, killedAfter) ?? []) await here(command)
    if (killedAfter < 6) await applyHere(wanted)
    assert.deepEqual(await wanted.plan(factsHere()), [])
    assert.deepEqual(readdirSync(join(path, '..')), ['2'])
  }
})

test('archive: the program itself, not packed, is laid down executable, and changed when it was changed', async (context) => {
  const folder = scratch(context)
  const program = join(folder, 'downloaded')
  writeFileSync(program, '#!/bin/sh\necho hello\n')
  const path = join(folder, 'programs/1')
  mkdirSync(join(folder, 'programs'))
  const resource = archive({ source: await measureFile(program), path, form: 'program', executable: 'hello' })
  assert.equal((await applyHere(resource)).length, 1)
  assert.equal(execFileSync(join(path, 'hello'), { encoding: 'utf8' }), 'hello\n')
  appendFileSync(join(path, 'hello'), 'echo more\n')
  assert.equal((await applyHere(resource)).length, 1)
  assert.equal(execFileSync(join(path, 'hello'), { encoding: 'utf8' }), 'hello\n')
})
