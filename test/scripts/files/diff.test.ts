/** Unified diffs, checked by a program that applies them. Needs: git. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { unifiedDiff } from '../../../scripts/files/diff.ts'
import { scratch } from '../known-host.ts'

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `${from + index}\n`).join('')

const rows = [
  ['one line', 'a\nb\nc\n', 'a\nX\nc\n'],
  ['the first and the last', numbers(0, 30), `x\n${numbers(1, 29)}y\n`],
  ['two places far apart', numbers(0, 60), `${numbers(0, 10)}in\n${numbers(10, 50)}${numbers(52, 60)}`],
  ['two places close together', numbers(0, 20), `${numbers(0, 5)}a\n${numbers(6, 10)}b\n${numbers(11, 20)}`],
  ['all of it', 'a\nb\n', 'c\nd\n'],
  ['emptied', 'a\nb\n', ''],
  ['filled', '', 'a\nb\n'],
  ['the line end goes', 'a\nb\n', 'a\nb'],
  ['the line end comes', 'a\nb', 'a\nb\n'],
  ['neither has one', 'a\nb', 'a\nc'],
  ['more changes than are compared line by line', numbers(0, 3000), numbers(5000, 8500)],
  ['the same without line ends', numbers(0, 3000).trimEnd(), numbers(5000, 8500).trimEnd()],
  ['blank lines', '\n\n\n', '\n\n'],
] as const

for (const [name, before, after] of rows) {
  test(`diff: ${name}`, (context) => {
    const folder = scratch(context)
    writeFileSync(join(folder, 'f'), before)
    execFileSync('git', ['apply', '-p0', '--whitespace=nowarn'], {
      cwd: folder,
      input: unifiedDiff('f', before, after),
    })
    assert.equal(readFileSync(join(folder, 'f'), 'utf8'), after)
  })
}

test('diff: with too many changes the text is shown as replaced, in bounded time', () => {
  assert.ok(unifiedDiff('f', numbers(0, 3000), numbers(5000, 8500)).includes('@@ -1,3000 +1,3500 @@'))
})

test('diff: nothing for the same text', () => assert.equal(unifiedDiff('f', 'a\n', 'a\n'), ''))

test('diff: a new file comes from nowhere', () => {
  assert.equal(unifiedDiff('/etc/f', undefined, 'a\n'), '--- /dev/null\n+++ /etc/f\n@@ -0,0 +1,1 @@\n+a\n')
})

test('diff: an empty new file has no lines to show', () => assert.equal(unifiedDiff('/etc/f', undefined, ''), ''))

test('diff: a text with few changes is compared, however long it is', () => {
  const diff = unifiedDiff('f', numbers(0, 20_000), numbers(1, 20_001))
  assert.deepEqual(
    diff.split('\n').filter((line) => /^[+-]\d/.test(line)),
    ['-0', '+20000'],
  )
})
