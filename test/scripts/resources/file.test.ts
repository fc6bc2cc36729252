/** Files: rows of facts, and real ones, hostile names and contents among them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { contentFact, digestFact, type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { file } from '../../../scripts/resources/file.ts'
import { applyHere, factReaderOf, factRow, factsHere, here, planLines, scratch } from '../known-host.ts'

const path = '/etc/x.conf'
const options = { path, content: 'a\nb\n', owner: 'root', group: 'root', mode: '0644' } as const
const there = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 4 } as const
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

type Row = Readonly<{ name: string; state: PathState; content?: string; changes: readonly string[] }>
const rows: readonly Row[] = [
  { name: 'absent', state: { kind: 'absent' }, changes: [`write ${path}, because it is absent`] },
  { name: 'up to date', state: there, content: 'a\nb\n', changes: [] },
  { name: 'another text', state: there, content: 'a\n', changes: [`write ${path}, because its content differs`] },
  {
    name: 'another owner and mode',
    state: { ...there, owner: 'bin', mode: '0666' },
    content: 'a\nb\n',
    changes: [
      `set owner and mode of ${path}, because its owner is bin:root, not root:root; its mode is 0666, not 0644`,
    ],
  },
  {
    name: 'a link in its place',
    state: { ...there, kind: 'link' },
    changes: [`write ${path}, because it is a link`],
  },
]

const factsOf = (state: PathState, content: string | undefined) => [
  factRow(pathFact(path), state),
  factRow(digestFact(path), content === undefined ? undefined : sha256(content)),
  factRow(contentFact(path), content),
]

for (const { name, state, content, changes } of rows) {
  test(`file: ${name}`, async () => assert.deepEqual(await planLines(file(options), factsOf(state, content)), changes))
}

test('file: the difference is shown, but never that of a private file', async () => {
  const facts = factsOf(there, 'a\n')
  const [open] = await file(options).plan(factReaderOf(facts))
  assert.equal(open?.diff, `--- ${path}\n+++ ${path}\n@@ -1,1 +1,2 @@\n a\n+b\n`)
  const [hidden] = await file({ ...options, isPrivate: true }).plan(factReaderOf(facts))
  assert.equal(hidden?.diff, undefined)
})

test('file: a directory in its place is refused', async () => {
  await assert.rejects(planLines(file(options), factsOf({ ...there, kind: 'directory' }, undefined)), { code: 5 })
})

const { uid, gid } = userInfo()
const hostile = [
  ['quotes', `it's "so" \`true\``],
  ['an expansion', '$(touch /tmp/owned) ${HOME} $$ \\$x'],
  ['a leading dash', '-rf'],
  ['lines', 'a\n\nb\r\n'],
  ['no text at all', ''],
  ['no line end', 'end'],
  ['an end of a here-document', "EOF\n'EOF'\n"],
  ['percent signs and backslashes', '%s %d \\n \\0 %%'],
  ['other scripts', 'Grüße, 世界 🙂\u2028'],
  ['much', `${'x'.repeat(199)}\n`.repeat(2000)],
] as const

for (const [name, content] of hostile) {
  test(`file: written as it is: ${name}`, async (context) => {
    const wanted = file({ path: join(scratch(context), 'f'), content, owner: uid, group: gid, mode: '0640' })
    await applyHere(wanted)
    const written = join(wanted.id.slice('file:'.length))
    assert.equal(readFileSync(written, 'utf8'), content)
    assert.equal(statSync(written).mode & 0o7777, 0o640)
  })
  test(`file: in a place named by ${name}`, async (context) => {
    const folder = join(scratch(context), `n${content.slice(0, 100).replaceAll('/', '_')}`)
    mkdirSync(folder)
    await applyHere(file({ path: join(folder, 'f'), content: 'x', owner: uid, group: gid, mode: '0600' }))
    assert.deepEqual(readdirSync(folder), ['f'])
  })
}

test('file: what the check refuses never takes the place of the old one', async (context) => {
  const folder = scratch(context)
  const at = join(folder, 'f')
  writeFileSync(at, 'old')
  const wanted = file({
    path: at,
    content: 'bad',
    owner: uid,
    group: gid,
    mode: '0600',
    check: (candidate) => ['grep', '-q', 'good', candidate],
  })
  const [change] = await wanted.plan(factsHere())
  const codes: number[] = []
  for (const command of change?.commands ?? []) {
    const { code } = await here(command)
    codes.push(code)
    if (code !== 0) break
  }
  assert.deepEqual(codes, [0, 1])
  assert.equal(readFileSync(at, 'utf8'), 'old')
})

test('file: a link is replaced, and what it led to is left alone', async (context) => {
  const folder = scratch(context)
  writeFileSync(join(folder, 'target'), 'kept')
  symlinkSync('target', join(folder, 'f'))
  await applyHere(file({ path: join(folder, 'f'), content: 'new', owner: uid, group: gid, mode: '0600' }))
  assert.equal(readFileSync(join(folder, 'target'), 'utf8'), 'kept')
  assert.equal(readFileSync(join(folder, 'f'), 'utf8'), 'new')
})

test('file: killed after any command, it is completed by the next run, and leaves no litter', async (context) => {
  const folder = scratch(context)
  const wanted = file({
    path: join(folder, 'f'),
    content: 'new',
    owner: uid,
    group: gid,
    mode: '0600',
    check: (candidate) => ['test', '-s', candidate],
  })
  for (const killedAfter of [0, 1, 2]) {
    writeFileSync(join(folder, 'f'), 'old')
    chmodSync(join(folder, 'f'), 0o777)
    const [change] = await wanted.plan(factsHere())
    for (const command of change?.commands.slice(0, killedAfter) ?? []) await here(command)
    await applyHere(wanted)
    assert.deepEqual(readdirSync(folder), ['f'])
  }
})
