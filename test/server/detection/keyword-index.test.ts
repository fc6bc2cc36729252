/** The index of all keywords says of each set what its own scanner says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeywordIndex, type IndexedKeywords, type KeywordMemo } from '../../../server/detection/keyword-index.ts'

const SETS: readonly (readonly string[])[] = [['he', 'she', 'hers'], ['she', 'HE', 'a-1'], ['@'], ['never there']]
const index = createKeywordIndex()
const indexed = SETS.map(index.add)

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

test('a set that comes after the first text is refused: it would be missing in memos', () => {
  const own = createKeywordIndex()
  const early = own.add(['early'])
  assert.equal(hits(early, 'early and late', undefined).length, 1)
  own.add(['later'])
  assert.equal(hits(early, 'early and late', {}).length, 1)
  assert.throws(() => own.add(['too late']), /after the first text/)
})

test('two indexes know nothing of each other', () => {
  const [one, other] = [createKeywordIndex(), createKeywordIndex()]
  const [first, second] = [one.add(['one']), other.add(['other'])]
  assert.deepEqual([hits(first, 'one other', {}), hits(second, 'one other', {})], [[[0, 0]], [[0, 4]]])
})
