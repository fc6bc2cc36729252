/** SPIFFE IDs, by the rows of the specification (SPIFFE-ID.md, section 2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTrustDomain, parseSpiffeId, spiffeIdProblem } from '../../contract/spiffe-id.ts'

const LONGEST_DOMAIN = 'd'.repeat(255)
const LONGEST_PATH = `/${'p'.repeat(2048 - 'spiffe://example.org/'.length)}`

const GOOD = [
  'spiffe://example.org/agent',
  'spiffe://example.org/Agent/One_2.3-4',
  'spiffe://10.0.0.1/a',
  'spiffe://a_b-c.d/..a/b..',
  `spiffe://${LONGEST_DOMAIN}/a`,
  `spiffe://example.org${LONGEST_PATH}`,
]
const BAD = [
  '',
  'example.org/agent',
  'https://example.org/agent',
  'SPIFFE://example.org/agent',
  'spiffe://example.org',
  'spiffe://example.org/',
  'spiffe://example.org/a/',
  'spiffe://example.org//a',
  'spiffe://example.org/a/./b',
  'spiffe://example.org/a/..',
  'spiffe://example.org/a?b=c',
  'spiffe://example.org/a#b',
  'spiffe://example.org/a%20b',
  'spiffe://example.org/ä',
  'spiffe://example.org/a b',
  'spiffe://example.org/a\n',
  'spiffe://Example.org/a',
  'spiffe://example.org:8443/a',
  'spiffe://user@example.org/a',
  'spiffe:///a',
  'spiffe://exämple.org/a',
  ` spiffe://example.org/a`,
  `spiffe://${LONGEST_DOMAIN}d/a`,
  `spiffe://example.org${LONGEST_PATH}p`,
]

for (const text of GOOD)
  test(`is one: ${text.slice(0, 60)}`, () => {
    const { trustDomain, path } = parseSpiffeId(text) ?? {}
    assert.equal(`spiffe://${trustDomain}${path}`, text)
  })

for (const text of BAD)
  test(`is none: ${JSON.stringify(text.slice(0, 60))}`, () => assert.equal(parseSpiffeId(text), undefined))

test('an id has to be of the trust domain', () => {
  assert.equal(spiffeIdProblem('spiffe://example.org/a', 'example.org'), undefined)
  assert.match(
    spiffeIdProblem('spiffe://example.com/a', 'example.org') ?? '',
    /is not in the trust domain example\.org/,
  )
  assert.match(spiffeIdProblem('spiffe://example.org/a?', 'example.org') ?? '', /is no SPIFFE ID/)
})

test('a trust domain is a lower-case name without a scheme', () => {
  const names = [
    'example.org',
    'a',
    'a_b',
    '',
    'Example.org',
    'spiffe://example.org',
    'example.org/',
    `${LONGEST_DOMAIN}d`,
  ]
  assert.deepEqual(names.map(isTrustDomain), [true, true, true, false, false, false, false, false])
})
