/** The built-in rules: each has examples that it finds and near misses that it doesn't, and compiled.json is what they give. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
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
