/** Every rule of gitleaks' public list has a counterpart here, or a reason why not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRuleBook } from '../../../server/rules/rule-book.ts'
import { GITLEAKS } from './gitleaks-fixture.ts'

/** How many rules the version that the list is of has. */
const RULES = 222

test('each id has a rule that there is, or a reason', () => {
  const ours = new Set(readRuleBook().rules.map(({ id }) => id))
  const missing = Object.entries(GITLEAKS).filter(([, rule]) =>
    typeof rule === 'string' ? !ours.has(`secret/${rule}`) : rule.none.length < 20,
  )
  assert.deepEqual(missing, [])
  assert.equal(Object.keys(GITLEAKS).length, RULES)
})
