/** Releases on a real disk: laid down, checked, mended, switched. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureRelease } from '../../../scripts/artifacts/release-archive.ts'
import { currentRelease, release } from '../../../scripts/resources/release.ts'
import { applyHere, factsHere, here, scratch } from '../known-host.ts'

/** A small clone: two files of ours, one dependency, one that only development needs, and what stays at home. */
const clone = (folder: string): string => {
  const root = join(folder, "it's a clone")
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  write('package.json', JSON.stringify({ version: '1.2.3' }))
  write(
    'package-lock.json',
    JSON.stringify({ packages: { '': {}, 'node_modules/a': {}, 'node_modules/d': { dev: true } } }),
  )
  write('server/main.ts', 'export {}\n')
  write(`server/${'long/'.repeat(30)}name.ts`, 'deep\n')
  write('tappass', '#!/bin/sh\n')
  chmodSync(join(root, 'tappass'), 0o755)
  write('node_modules/a/index.js', 'a\n')
  write('node_modules/a/node_modules/nested/index.js', 'not in the lock file\n')
  write('node_modules/d/index.js', 'd\n')
  write('test/x.test.ts', 'stays at home\n')
  return root
}

const laidDown = async (folder: string) => {
  const pack = await measureRelease(clone(folder))
  const root = join(folder, 'opt')
  const wanted = release({ root, pack })
  const link = currentRelease({ root, pack })
  await applyHere(wanted)
  await applyHere(link)
  return { pack, root, wanted, link, path: join(root, 'releases', pack.version) }
}

test('release: holds what production needs, no more; the link leads to it', async (context) => {
  const { root, path, pack } = await laidDown(scratch(context))
  assert.equal(readlinkSync(join(root, 'current')), path)
  assert.match(pack.version, /^1\.2\.3-[0-9a-f]{12}$/)
  assert.deepEqual(readdirSync(path).toSorted(), [
    '.manifest',
    'node_modules',
    'package-lock.json',
    'package.json',
    'server',
    'tappass',
  ])
  assert.deepEqual(readdirSync(join(path, 'node_modules')), ['a'])
  assert.deepEqual(readdirSync(join(path, 'node_modules', 'a')), ['index.js'])
  assert.equal(readFileSync(join(path, 'server', 'long/'.repeat(30), 'name.ts'), 'utf8'), 'deep\n')
  assert.equal(statSync(join(path, 'tappass')).mode & 0o777, 0o755)
  assert.equal(statSync(join(path, 'server', 'main.ts')).mode & 0o777, 0o644)
})

test('release: its own check comes before it is in its place, from the folder that it was unpacked to', async (context) => {
  const folder = scratch(context)
  const pack = await measureRelease(clone(folder))
  const [change] = await release({ root: join(folder, 'opt'), pack, check: ['node', 'server/self-check.ts'] }).plan(
    factsHere(),
  )
  const argv = change?.commands.map((command) => command.argv.join(' ')) ?? []
  const at = argv.findIndex((words) => words.endsWith('node server/self-check.ts'))
  assert.match(
    argv[at] ?? '',
    /^systemd-run .*DynamicUser=yes .*PrivateNetwork=yes .*WorkingDirectory=\S+\/releases\/\.tappass-new\/made/,
  )
  assert.equal(at, argv.length - 2)
})

const damages = [
  { name: 'a changed file', harm: (path: string) => appendFileSync(join(path, 'server', 'main.ts'), '// x\n') },
  { name: 'a missing file', harm: (path: string) => rmSync(join(path, 'package.json')) },
  { name: 'a stray file', harm: (path: string) => writeFileSync(join(path, 'server', 'stray.ts'), '') },
  { name: 'a stray link', harm: (path: string) => symlinkSync('main.ts', join(path, 'server', 'stray.ts')) },
  { name: 'a file that all may write', harm: (path: string) => chmodSync(join(path, 'package.json'), 0o666) },
  { name: 'a folder that others may not enter', harm: (path: string) => chmodSync(path, 0o700) },
  { name: 'a forged manifest', harm: (path: string) => writeFileSync(join(path, '.manifest'), '') },
] as const

for (const { name, harm } of damages) {
  test(`release: ${name} is detected and repaired`, async (context) => {
    const { path, wanted, root } = await laidDown(scratch(context))
    harm(path)
    const [change] = await applyHere(wanted)
    assert.equal(change?.reason, 'its files were changed')
    assert.deepEqual(readdirSync(join(root, 'releases')), [
      wanted.id === '' ? '' : path.slice(path.lastIndexOf('/') + 1),
    ])
  })
}

test('release: a directory in the place of the link is refused before anything is changed', async (context) => {
  const { root, wanted } = await laidDown(scratch(context))
  rmSync(join(root, 'current'))
  mkdirSync(join(root, 'current'))
  await assert.rejects(wanted.plan(factsHere()), { code: 5, message: `${root}/current is not a link` })
})

test('release: the same content is the same version, other content another', async (context) => {
  const folder = scratch(context)
  const root = clone(folder)
  const first = await measureRelease(root)
  assert.equal((await measureRelease(root)).version, first.version)
  appendFileSync(join(root, 'server', 'main.ts'), '\n')
  assert.notEqual((await measureRelease(root)).version, first.version)
})

test('release: killed after any command, it is completed by the next run', async (context) => {
  const folder = scratch(context)
  const pack = await measureRelease(clone(folder))
  for (const killedAfter of [1, 2, 3, 4, 5]) {
    const wanted = release({ root: join(folder, `opt-${killedAfter}`), pack })
    const [change] = await wanted.plan(factsHere())
    for (const command of change?.commands.slice(0, killedAfter) ?? []) await here(command)
    await applyHere(wanted)
    assert.deepEqual(readdirSync(join(folder, `opt-${killedAfter}`, 'releases')), [pack.version])
  }
})

test('release: two others are kept to go back to, the newest ones', async (context) => {
  const { root, link: wanted, pack } = await laidDown(scratch(context))
  for (const [index, version] of ['old-1', 'old-2', 'old-3', 'old-4'].entries()) {
    mkdirSync(join(root, 'releases', version))
    utimesSync(join(root, 'releases', version), 1000 + index, 1000 + index)
  }
  const changes = await applyHere(wanted)
  assert.deepEqual(
    changes.map(({ action }) => action),
    ['remove release old-2', 'remove release old-1'],
  )
  assert.deepEqual(readdirSync(join(root, 'releases')).toSorted(), [pack.version, 'old-3', 'old-4'])
})

test('release: after a way back, an upgrade keeps the release that was in force, and the next run changes nothing', async (context) => {
  const folder = scratch(context)
  const { root, link, pack } = await laidDown(folder)
  const old = join(root, 'releases', pack.version)
  utimesSync(old, 1000, 1000)
  for (const version of ['newer-1', 'newer-2', 'newer-3']) mkdirSync(join(root, 'releases', version))
  utimesSync(join(root, 'releases', 'newer-3'), 3000, 3000)
  utimesSync(join(root, 'releases', 'newer-2'), 2000, 2000)
  utimesSync(join(root, 'releases', 'newer-1'), 1500, 1500)
  await applyHere(link)
  appendFileSync(join(folder, "it's a clone", 'server', 'main.ts'), '// the upgrade\n')
  const upgrade = { root, pack: await measureRelease(join(folder, "it's a clone")) }
  await applyHere(release(upgrade))
  assert.equal(readlinkSync(join(root, 'current')), old, 'the link moves last')
  await applyHere(currentRelease(upgrade))
  const kept = readdirSync(join(root, 'releases'))
  assert.ok(kept.includes(pack.version), kept.join())
  assert.equal(kept.length, 3, kept.join())
  assert.deepEqual([...(await applyHere(release(upgrade))), ...(await applyHere(currentRelease(upgrade)))], [])
})

test('release: one that a process runs from is kept', async (context) => {
  const { root, link: wanted, pack } = await laidDown(scratch(context))
  for (const [index, version] of ['old-1', 'old-2', 'old-3'].entries()) {
    mkdirSync(join(root, 'releases', version, 'server'), { recursive: true })
    utimesSync(join(root, 'releases', version), 1000 + index, 1000 + index)
  }
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], {
    cwd: join(root, 'releases', 'old-1', 'server'),
  })
  context.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  await applyHere(wanted)
  assert.deepEqual(readdirSync(join(root, 'releases')).toSorted(), [pack.version, 'old-1', 'old-2', 'old-3'])
  child.kill('SIGKILL')
  await once(child, 'exit')
  await applyHere(wanted)
  assert.deepEqual(readdirSync(join(root, 'releases')).toSorted(), [pack.version, 'old-2', 'old-3'])
})

test('release: what a killed run left is found though another release is wanted by now', async (context) => {
  const folder = scratch(context)
  const root = join(folder, 'opt')
  const killed = await measureRelease(clone(folder))
  const [change] = await release({ root, pack: killed }).plan(factsHere())
  for (const command of change?.commands.slice(0, 3) ?? []) await here(command)
  appendFileSync(join(folder, "it's a clone", 'server', 'main.ts'), '// newer\n')
  const pack = await measureRelease(join(folder, "it's a clone"))
  await applyHere(release({ root, pack }))
  assert.deepEqual(readdirSync(join(root, 'releases')), [pack.version])
})

test('release: killed between the swap and the end: the rest is removed by the next run', async (context) => {
  const { root, wanted } = await laidDown(scratch(context))
  mkdirSync(join(root, 'releases', '.tappass-new', 'old'), { recursive: true })
  assert.deepEqual(
    (await applyHere(wanted)).map(({ reason }) => reason),
    ['an interrupted run left it'],
  )
})
