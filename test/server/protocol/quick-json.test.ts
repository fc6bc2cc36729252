/** JSON that would hold up all other calls is not parsed in their thread; what model servers send is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseQuickly } from '../../../server/protocol/quick-json.ts'

const list = (count: number, item: string): string => `[${Array.from({ length: count }, () => item).join()}]`
const members = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join()}}`

const ROWS: readonly (readonly [what: string, text: string, isParsed: boolean])[] = [
  ['tokens of a whole prompt', list(131_072, '9906'), true],
  ['four megabytes of audio', JSON.stringify({ data: 'A'.repeat(4_000_000) }), true],
  ['brackets in a text', JSON.stringify('[{:,'.repeat(100_000)), true],
  ['escaped quotes in a text', JSON.stringify('"'.repeat(100_000)), true],
  ['very many numbers', list(200_100, '1'), false],
  ['many numbers as no double is', list(8_100, '1.0'), false],
  ['a long number', list(4_000, '1'.repeat(20)).replace('1', '1'.repeat(500)), false],
  ['long blanks between exact numbers', `[1,${' '.repeat(100_000)}2]`, true],
  ['many lists', list(10_100, '[]'), false],
  ['many objects', list(10_100, '{}'), false],
  ['many texts', list(20_100, '""'), false],
  ['many names', members(8_100), false],
  ['too deep', `${'['.repeat(101)}${']'.repeat(101)}`, false],
]

for (const [what, text, isParsed] of ROWS) {
  test(`${what}: ${isParsed ? 'parsed' : 'not parsed'}`, () => {
    if (isParsed) assert.equal(JSON.stringify(parseQuickly(text)), text.replaceAll(' ', ''))
    else assert.throws(() => parseQuickly(text), SyntaxError)
  })
}
