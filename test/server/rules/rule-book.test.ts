/** The built-in rules: each has examples that it finds and near misses that it doesn't, and compiled.json is what they give. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { partialMatchPattern } from '../../../server/detection/partial-match.ts'
import { compileRules } from '../../../server/detection/rule-compiler.ts'
import { buildRuleBook, ruleBookText } from '../../../server/rules/build.ts'
import { RULE_FUNCTIONS } from '../../../server/rules/check/rule-functions.ts'
import { exampleFailures } from '../../../server/rules/example-check.ts'
import { exampleText } from '../../../server/rules/example-text.ts'
import { COMPILED } from '../../../server/rules/rule-book.ts'
import { readRuleFiles } from '../../../server/rules/rule-source.ts'
import { testEngine } from '../detection/engine-fixture.ts'

const engine = testEngine()
const files = readRuleFiles()
const families = new Map(
  [...new Set(files.map(({ file }) => file.family))].map((family) => {
    const rules = engine.rules(family)
    const [detect, detectPhrases] = [engine.detector(rules), engine.phraseDetector(rules.phrases)]
    return [
      family,
      (text: string) => [...detect(text), ...detectPhrases(text, ({ confidence }) => confidence)],
    ] as const
  }),
)

function matchesAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at
  return pattern.test(text)
}

test('compiled.json is what its sources give (node server/rules/build.ts writes it)', () => {
  assert.equal(readFileSync(COMPILED, 'utf8'), ruleBookText(buildRuleBook()))
})

for (const source of files) {
  const { name, text, file } = source
  const compiled = compileRules(file, RULE_FUNCTIONS)
  describe(name, () => {
    test('no line is longer than 200 characters', () => {
      assert.deepEqual(
        text.split('\n').filter((line) => line.length > 200),
        [],
      )
    })

    file.rules.forEach((rule, index) => {
      test(`${rule.id}: its examples`, () => {
        assert.deepEqual(
          exampleFailures(
            { ...source, file: { ...file, rules: [rule] } },
            compiled.slice(index, index + 1),
            RULE_FUNCTIONS,
          ),
          [],
        )
        const kind = `${file.family}.${rule.kind ?? rule.id}`
        for (const example of rule.examples.match.map(exampleText)) {
          const kinds = families
            .get(file.family)?.(example)
            .map((match) => match.kind)
          assert.ok(kinds?.includes(kind), `${example}: ${kinds}`)
        }
      })
    })
  })
}

test('what a rule matches begins with one of its keywords', () => {
  for (const { file } of files) {
    for (const { id, keywords = [], examples } of file.rules) {
      const { patterns } = engine.rules(file.family)
      const pattern = patterns.find(({ rule }) => rule === `${file.family}/${id}`)?.pattern
      for (const example of pattern === undefined ? [] : examples.match.map(exampleText)) {
        const isTriggered = Array.from(example).some(
          (_, at) =>
            matchesAt(pattern as RegExp, example, at) &&
            keywords.some((keyword) => example.slice(at).toLowerCase().startsWith(keyword.toLowerCase())),
        )
        assert.ok(isTriggered, `${file.family}/${id}: ${example}`)
      }
    }
  }
})

test('each keyword can begin a match', () => {
  for (const { patterns } of [...families.keys()].map((family) => engine.rules(family))) {
    for (const { rule, keywords, pattern } of patterns) {
      // What has to stand before the keyword may be there; and in either case a match is pending while nothing contradicts it.
      const after = new RegExp(pattern.source.replaceAll('(?<=', '(?:|'), pattern.flags)
      const pending = new RegExp(partialMatchPattern(after).source, `${pattern.flags.replace('i', '')}i`)
      for (const keyword of keywords) assert.ok(matchesAt(pending, keyword, 0), `${rule}: ${keyword}`)
    }
  }
})

test('no example looks like a secret before its parts are made up', () => {
  const look = families.get('secret')
  const templates = files.flatMap(({ file }) =>
    file.rules.flatMap(({ examples }) => [...examples.match, ...examples.no_match]),
  )
  for (const template of templates) {
    const found = look?.(template).filter(({ confidence }) => confidence >= 0.5) ?? []
    assert.deepEqual(found, [], template)
  }
})

test('the same template gives the same text, a letter is repeated, and nothing is nothing', () => {
  assert.equal(exampleText('a {alnum:12} b'), exampleText('a {alnum:12} b'))
  assert.match(exampleText('{hex:8}-{digits:3}-{x:4}{-:0}'), /^[0-9a-f]{8}-\d{3}-xxxx$/)
  assert.equal(exampleText('{"a": 1} {none:4}'), '{"a": 1} {none:4}')
})
