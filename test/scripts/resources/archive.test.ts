/** Archives of programs: rows of facts, and real ones from the controller's disk. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureFile } from '../../../scripts/core/controller-file.ts'
import { contentFact, type PathState, pathFact, targetFact } from '../../../scripts/core/facts/path.ts'
import { archive } from '../../../scripts/resources/archive.ts'
import { argvOf, bringAbout, here, knowOf, lookHere, said, scratch, shown, traits } from '../known-host.ts'

const there = { kind: 'file', mode: '0755', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
const url = 'https://programs.example/p.tar.gz'
const options = {
  source: { downloads: { 'linux-x64': { url, sha256: 'aa' } } },
  path: '/opt/p/2',
  link: '/opt/p/current',
  executable: 'bin/p',
} as const

type Row = Readonly<{
  name: string
  unpacked?: string
  program: PathState
  target?: string
  left?: PathState
  changes: readonly string[]
}>
const rows: readonly Row[] = [
  {
    name: 'absent',
    program: { kind: 'absent' },
    changes: [
      `unpack ${url} at /opt/p/2, because it is absent`,
      'link /opt/p/current to /opt/p/2, because it is absent',
    ],
  },
  { name: 'as wanted', unpacked: 'aa', program: there, target: '/opt/p/2', changes: [] },
  {
    name: 'the older one is in force',
    unpacked: 'aa',
    program: there,
    target: '/opt/p/1',
    changes: ['link /opt/p/current to /opt/p/2, because it is to /opt/p/1'],
  },
  {
    name: 'another archive was unpacked',
    unpacked: 'bb',
    program: there,
    target: '/opt/p/2',
    changes: [`unpack ${url} at /opt/p/2, because another archive was unpacked there`],
  },
  {
    name: 'a run was killed after it was swapped in',
    unpacked: 'aa',
    program: there,
    target: '/opt/p/2',
    left: { ...there, kind: 'directory' },
    changes: ['remove /opt/p/.tappass-new, because a run that was killed left it'],
  },
  {
    name: 'its program is gone',
    unpacked: 'aa',
    program: { kind: 'absent' },
    target: '/opt/p/2',
    changes: [`unpack ${url} at /opt/p/2, because it is absent`],
  },
]

const factsOf = (
  { unpacked, program, target, left = { kind: 'absent' } }: Pick<Row, 'unpacked' | 'program' | 'target' | 'left'>,
  platform = 'linux-x64',
  standing: PathState = { kind: 'absent' },
) => [
  traits({ platform }),
  said(contentFact('/opt/p/2/.tappass-archive'), unpacked),
  said(pathFact('/opt/p/2/bin/p'), program),
  said(targetFact('/opt/p/current'), target),
  said(pathFact('/opt/p/current'), standing),
  said(pathFact('/opt/p/.tappass-new'), left),
]

for (const row of rows) {
  test(`archive: ${row.name}`, async () => assert.deepEqual(await shown(archive(options), factsOf(row)), row.changes))
}

test('archive: a machine for which nothing is published is refused', async () => {
  await assert.rejects(shown(archive(options), factsOf({ program: { kind: 'absent' } }, 'linux-riscv64')), { code: 5 })
})

test('archive: a directory in the place of the link is refused', async () => {
  const facts = factsOf({ unpacked: 'aa', program: there }, 'linux-x64', { ...there, kind: 'directory' })
  await assert.rejects(shown(archive(options), facts), { code: 5, message: '/opt/p/current should be a link' })
})

test('archive: downloaded over TLS only, checked before it is unpacked', async () => {
  const argv = argvOf(await archive(options).plan(knowOf(factsOf({ program: { kind: 'absent' } }))))
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

test('archive: sent from the controller, laid down whole, damage mended', async (context) => {
  const folder = scratch(context)
  const source = await measureFile(pack(folder))
  const [path, link] = [join(folder, 'opt', '2'), join(folder, 'opt', 'current')]
  const wanted = archive({ source, path, link, strip: 1, executable: 'bin/p' })
  await bringAbout(wanted)
  assert.equal(readlinkSync(link), path)
  assert.equal(readFileSync(join(link, 'bin', 'p'), 'utf8'), '#!/bin/sh\n')
  rmSync(join(path, 'bin', 'p'))
  await bringAbout(wanted)
  assert.deepEqual(readdirSync(join(folder, 'opt')).toSorted(), ['2', 'current'])
})

test('archive: what arrived cut short is never unpacked', async (context) => {
  const folder = scratch(context)
  const whole = await measureFile(pack(folder))
  writeFileSync(whole.file, readFileSync(whole.file).subarray(0, -10))
  const path = join(folder, 'opt', '2')
  const [change] = await archive({ source: whole, path, strip: 1 }).plan(lookHere())
  const [make, send, check] = change?.commands ?? []
  if (make !== undefined) await here(make)
  assert.equal(send === undefined ? -1 : (await here(send)).code, 0)
  assert.notEqual(check === undefined ? 0 : (await here(check)).code, 0)
  assert.deepEqual((await here({ argv: ['ls', path], effect: 'read' })).stdout, '')
})

test('archive: killed after any command, it is completed by the next run', async (context) => {
  const folder = scratch(context)
  const source = await measureFile(pack(folder))
  for (const killedAfter of [1, 2, 3, 4, 5]) {
    const path = join(folder, `opt-${killedAfter}`, '2')
    const wanted = archive({ source, path, strip: 1, executable: 'bin/p' })
    const [change] = await wanted.plan(lookHere())
    for (const command of change?.commands.slice(0, killedAfter) ?? []) await here(command)
    if (killedAfter < 5) await bringAbout(wanted)
    assert.deepEqual(await wanted.plan(lookHere()), [])
    assert.deepEqual(readdirSync(join(path, '..')), ['2'])
  }
})
