/** What a file of rules may hold: whatever is not sound is refused, with the rule's id. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRules } from '../../../server/detection/rule-compiler.ts'
import { parseRuleFile } from '../../../server/detection/rule-file.ts'
import { RULE_FUNCTIONS } from '../../../server/rules/check/rule-functions.ts'
import { exampleFailures } from '../../../server/rules/example-check.ts'

const RULE = {
  id: 'badge',
  title: 'A badge',
  keywords: ['badge-'],
  pattern: 'badge-[0-9]{4}',
  severity: 'low',
  confidence: 0.6,
  source: 'a manual',
  examples: { match: ['badge-1234', 'a badge-0000.'], no_match: ['badge-12', 'Badge-12a4'] },
}
const file = (rule: object = {}, more: object = {}) => ({ family: 'novelty', ...more, rules: [{ ...RULE, ...rule }] })
const compile = (content: object) => compileRules(parseRuleFile(content, 'badge.yaml'), RULE_FUNCTIONS)

test('a rule is compiled with its form, fragments and defaults', () => {
  const content = file(
    { pattern: ['badge-', '${four}'], form: 'whole_token', kind: 'pass', flags: 'i' },
    { let: { digit: '\\d', four: '${digit}{4}' }, check: ['filled'], extend: { while: '${digit}' } },
  )
  const [{ partial, ...rule }] = compile(content) as unknown as [Record<string, unknown>]
  assert.deepEqual(rule, {
    id: 'novelty/badge',
    kind: 'novelty.pass',
    severity: 'low',
    confidence: 0.6,
    trigger: 'keyword',
    keywords: ['badge-'],
    pattern: '(?<![A-Za-z0-9])(?:(?:badge-\\d{4})(?![A-Za-z0-9]))',
    flags: 'diy',
    check: ['filled'],
    extend_while: '\\d',
  })
  assert.equal(typeof partial, 'string')
})

const REFUSED: readonly (readonly [what: string, content: object, message: RegExp])[] = [
  ['one example', file({ examples: { ...RULE.examples, match: ['badge-1234'] } }), /two examples or more/],
  ['one near miss', file({ examples: { ...RULE.examples, no_match: ['badge-12'] } }), /two examples or more/],
  ['no examples', file({ examples: undefined }), /examples/],
  ['a long line', file({ pattern: 'x'.repeat(201) }), /200 characters/],
  ['no longest match', file({ pattern: 'badge-\\d+' }), /novelty\/badge: a pattern is bounded, and this is not: \\d\+/],
  ['no longest match inside', file({ pattern: 'badge-(?:\\d{2,}x){2}' }), /bounded/],
  ['an anchor', file({ pattern: '^badge-\\d' }), /syntax/],
  ['a reference back', file({ pattern: '(b)adge-\\1' }), /syntax/],
  ['no expression', file({ pattern: 'badge-(' }), /novelty\/badge/],
  ['a check that is not there', file({ check: ['guess'] }), /no check called guess: there are aadhaar/],
  ['a grade that is not there', file({ grade: 'guess' }), /no grade called guess/],
  ['an extension that is not there', file({ extend: 'guess' }), /no extend called guess/],
  ['a fragment that is not there', file({ pattern: 'badge-${four}' }), /no fragment called four/],
  ['a form that is not there', file({ form: 'guess' }), /form/],
  ['a label without its form', file({ label: 'badge' }), /label/],
  ['a form without its label', file({ form: 'labelled_number' }), /label/],
  ['digits without their form', file({ digits: '4' }), /digits/],
  ['no pattern', file({ pattern: undefined }), /a pattern or a finder/],
  ['no severity', file({ severity: undefined }), /no severity/],
  ['no source', file({ source: undefined }), /no source/],
  ['a word that means nothing', file({ treshold: 1 }), /treshold/],
  ['a keyword with an accent', file({ keywords: ['bädge'] }), /ASCII/],
]

for (const [what, content, message] of REFUSED) {
  test(`refused: ${what}`, () => assert.throws(() => compile(content), message))
}

test('an example that is not found, and a near miss that is, are told', () => {
  const content = parseRuleFile(
    file({ examples: { match: ['badge-1234', 'badge-123'], no_match: ['badge-12', 'badge-5555'] } }),
    'badge.yaml',
  )
  const compiled = compileRules(content, RULE_FUNCTIONS)
  assert.deepEqual(exampleFailures({ name: 'badge.yaml', text: '', file: content }, compiled, RULE_FUNCTIONS), [
    'badge.yaml: badge has no match in "badge-123"',
    'badge.yaml: badge has a match in "badge-5555"',
  ])
})
