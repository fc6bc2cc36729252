/** The index of all keywords says of each set what its own scanner says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IndexedKeywords, indexKeywords, type KeywordMemo } from '../../../server/detection/keyword-index.ts'

const SETS: readonly (readonly string[])[] = [['he', 'she', 'hers'], ['she', 'HE', 'a-1'], ['@'], ['never there']]
const indexed = SETS.map(indexKeywords)

function hits({ scan }: IndexedKeywords, text: string, memo: KeywordMemo | undefined): readonly (readonly number[])[] {
  const found: (readonly number[])[] = []
  scan(text, (...hit) => found.push(hit), memo)
  return found
}

const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ['empty', ''],
  ['without any', 'no word of them'],
  ['with some', 'uSHErs @ A-1a-1 é hers'],
  ['with more than is kept', 'she@'.repeat(1000)],
  ['as long as is kept', 'she@'.padEnd(64 * 1024, ' hers')],
  ['longer', 'she@'.padEnd(64 * 1024 + 1, ' hers')],
]
for (const [what, text] of TEXTS) {
  test(`a text ${what}`, () => {
    const memo: KeywordMemo = {}
    for (const one of indexed) {
      const alone = hits(one, text, undefined)
      assert.deepEqual(hits(one, text, memo), alone)
      assert.equal(one.isAbsent(text, undefined), false)
      assert.ok((memo.hits?.found?.flat().length ?? 0) <= 32 + text.length / 4, 'what is kept of a text is bounded')
      if (one.isAbsent(text, memo)) assert.equal(alone.length, 0)
      else assert.ok(alone.length > 0 || text.length > 2000)
    }
  })
}

test('a set that came after a memo was made is found all the same', () => {
  const memo: KeywordMemo = {}
  assert.equal(hits(indexed[0] as IndexedKeywords, 'he said: later', memo).length, 1)
  const late = indexKeywords(['later'])
  assert.deepEqual(hits(late, 'he said: later', memo), [[0, 9]])
})
