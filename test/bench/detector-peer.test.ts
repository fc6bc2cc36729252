/** What others say of a text is read right; nothing of them has to be installed. Their words are theirs, as they were printed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { askInLines, type Found, loadDetectorPeers, readLines } from '../../bench/detector-peer.ts'
import { byText } from '../../bench/detector-peers/gitleaks.ts'
import { samplesOf } from '../../bench/gitleaks-example.ts'

/** A peer, what it said of one text, and what is read in it. */
const rows: readonly (readonly [peer: string, said: unknown, found: readonly Found[]])[] = [
  ['gitleaks', [], []],
  ['gitleaks', [leak('stripe-access-token', 'texts/0.txt')], [{ kind: 'stripe-access-token' }]],
  ['detect-secrets', [], []],
  ['detect-secrets', [{ type: 'Secret Keyword', line_number: 3 }], [{ kind: 'Secret Keyword' }]],
  ['presidio-analyzer', [], []],
  [
    'presidio-analyzer',
    [{ entity_type: 'US_DRIVER_LICENSE', start: 4, end: 12, score: 0.3 }],
    [{ kind: 'US_DRIVER_LICENSE', span: [4, 12], score: 0.3 }],
  ],
  ['stackone-defender', { allowed: true, risk_level: 'low', detections: [] }, []],
  // A phrase that is not sure enough for it to block.
  ['stackone-defender', { allowed: true, risk_level: 'medium', detections: ['role_marker'] }, []],
  [
    'stackone-defender',
    { allowed: false, risk_level: 'high', detections: ['ignore_previous'] },
    [{ kind: 'ignore_previous' }],
  ],
  ['stackone-defender', { allowed: false, risk_level: 'high', detections: [] }, [{ kind: 'model: high' }]],
  ['@andersmyrmel/vard', { safe: true, data: 'Good morning.' }, []],
  [
    '@andersmyrmel/vard',
    { safe: false, threats: [{ type: 'systemPromptLeak', severity: 0.95, match: 'x', position: 37 }] },
    [{ kind: 'systemPromptLeak', score: 0.95 }],
  ],
  ['@claude-flow/aidefence', { safe: true, threats: [], piiFound: false }, []],
  // It finds personal data too, which is no attack.
  ['@claude-flow/aidefence', { safe: true, threats: [], piiFound: true }, []],
  [
    '@claude-flow/aidefence',
    { safe: false, threats: [{ type: 'jailbreak', severity: 'critical', confidence: 0.98 }] },
    [{ kind: 'jailbreak', score: 0.98 }],
  ],
  ['@presidio-dev/hai-guardrails', [{ guardId: 'injection', messages: [{ passed: true }] }], []],
  [
    '@presidio-dev/hai-guardrails',
    [{ guardId: 'injection', messages: [{ passed: false, reason: 'Possible injection detected' }] }],
    [{ kind: 'injection' }],
  ],
]

function leak(rule: string, file: string): Readonly<Record<string, unknown>> {
  return { RuleID: rule, File: file, StartLine: 1, Match: 'REDACTED' }
}

const BENCH = join(import.meta.dirname, '../../bench')
const peers = await loadDetectorPeers()

describe('what a detector of others said', () => {
  for (const [name, said, found] of rows) {
    test(`${name}: ${JSON.stringify(said)}`, () => {
      const peer = peers.find((one) => one.name === name)
      assert.deepEqual(peer?.read(said), found)
    })
  }

  for (const { name, read } of peers) {
    test(`${name}: with and without a finding in the rows, and nothing else is taken for either`, () => {
      const ofPeer = rows.filter(([peer]) => peer === name).map(([, , found]) => found.length > 0)
      assert.deepEqual([...new Set(ofPeer)].toSorted(), [false, true])
      for (const said of [undefined, null, 'nothing found', {}, { results: [] }]) assert.throws(() => read(said))
    })
  }
})

test('each text has the leaks of its file', () => {
  const [first, third] = [leak('jwt', 'texts/0.txt'), leak('aws-access-token', 'texts/2.txt')]
  assert.deepEqual(byText([third, first, third], 3), [[first], [], [third, third]])
  assert.throws(() => byText([leak('jwt', 'texts/3.txt')], 3), /file 3 of 3/)
})

test('examples of gitleaks are samples of secrets, each text once', () => {
  const lines = '{"rule":"a","text":"token: \\"x\\""}\n{"rule":"b","text":"y"}\n{"rule":"a","text":"y"}\n'
  const told = samplesOf(lines).map(({ text, isAttack, stage }) => [text, isAttack, stage])
  assert.deepEqual(told, [
    ['token: "x"', true, 'request'],
    ['y', true, 'request'],
  ])
})

test('lines are read in their order, and as many as there are texts', () => {
  const output = '{"us":12.5,"said":"a"}\n{"us":3,"said":""}\n'
  const read = (said: unknown): readonly Found[] => (said === '' ? [] : [{ kind: String(said) }])
  assert.deepEqual(readLines(output, 2, read), [
    { us: 12.5, found: [{ kind: 'a' }] },
    { us: 3, found: [] },
  ])
  assert.throws(() => readLines(output, 3, read), /2 answers to 3 texts/)
})

test('a text reaches the process of a peer whole, whatever ends a line in it', async () => {
  const texts = [
    '',
    'two\nlines\r\n',
    'for JavaScript\u2028these are\u2029lines',
    '\u0085\v\f',
    '{"a": "\\u2028"}',
    'ø\u{1f600}',
  ]
  const argv = [join(BENCH, 'npm-peer-process.ts'), join(import.meta.dirname, 'echo-judge.ts'), '/nonexistent']
  const output = await askInLines([process.execPath, ...argv], {}, texts)
  const heard = readLines(output, texts.length, (said) => [{ kind: String(said) }])
  assert.deepEqual(
    heard.flatMap(({ found }) => found.map(({ kind }) => kind)),
    texts,
  )
})
