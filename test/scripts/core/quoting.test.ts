/** Quoting for the far side: whatever is quoted, a real POSIX shell reads back as it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quote, quoteAll } from '../../../scripts/core/quoting.ts'
import { here } from '../known-host.ts'

const hostile = [
  '',
  ' ',
  'plain',
  "it's",
  "'''",
  '"double"',
  '$HOME ${HOME} $(id) `id`',
  '\\ \\\\ \\n',
  'a\nb\n\n',
  '\r\t\v\u0007',
  '-n',
  '--',
  '*?[a-z]',
  '~ ~root',
  '{a,b}',
  '!! !x',
  '# no comment',
  '; & | < > ( )',
  'A=B',
  '世界 🙂 \u2028',
  `${"'".repeat(50)}$`,
  'x'.repeat(100_000),
] as const

const readBack = async (line: string): Promise<string> =>
  (await here({ argv: ['sh'], effect: 'read', stdin: line })).stdout

for (const word of hostile) {
  test(`quote: ${JSON.stringify(word).slice(0, 40)}`, async () => {
    assert.equal(await readBack(`printf '%s' ${quote(word)}`), word)
  })
}

test('quoteAll: all of them at once', async () => {
  assert.equal(await readBack(quoteAll(['printf', '%s|', ...hostile])), `${hostile.join('|')}|`)
})

test('quoteAll: a program whose name looks like an assignment is run, not assigned', async () => {
  const { code, stderr } = await here({ argv: ['sh', '-c', quoteAll(['A=B'])], effect: 'read' })
  assert.equal(code, 127)
  assert.match(stderr, /A=B.*not found/)
})

test('quote: NUL can not be an argument', () => assert.throws(() => quote('a\0b'), RangeError))
