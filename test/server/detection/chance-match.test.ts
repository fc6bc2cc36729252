/** What has the form of a number or a key by chance, inside long base64, is no finding; beside it, and in short runs, it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep as createPii } from '../../../server/steps/detect-pii.ts'
import { createStep as createSecrets } from '../../../server/steps/detect-secrets.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { made, privateKey } from '../rules/fixture.ts'
import { lines, noise } from '../steps/opaque-fixture.ts'
import { testEngine } from './engine-fixture.ts'

const engine = testEngine()
const steps = [createPii(engine), createSecrets(engine)]
const kinds = (text: string, stage: 'request' | 'response'): readonly string[] =>
  steps.flatMap((step) =>
    step
      .inspect(callOf({}, { stage, segments: [{ pointer: '/t', author: 'user', text }] }), undefined as never)
      .map(({ kind }) => kind),
  )

const IBAN = 'DE89370400440532013000'
const standard = noise(1200).toString('base64')
const url = noise(1200, 2).toString('base64url')
const key = (sign: string, count: number): string => `${sign}${made(count)}`
const KEYS = [
  key('tp_', 43),
  key('ghp_', 36),
  key('EAA', 180),
  key('pa-', 43),
  key('fw_', 24),
  key(['sk', 'proj', ''].join('-'), 120),
  ['AK', 'IA', made(16, 'base32')].join(''),
]
/** Where a line of base64 begins. */
const LINE = 76 * 7

const CHANCE: readonly (readonly [what: string, text: string])[] = [
  ['an IBAN between signs', `${standard.slice(0, 700)}/${IBAN}+${standard.slice(700)}`],
  ['an IBAN with signs of base64url', `${url.slice(0, 700)}-${IBAN}-${url.slice(700)}`],
  ['an IBAN where a line begins', lines(`${standard.slice(0, LINE)}${IBAN}a${standard.slice(LINE)}`, 76)],
  ['an IBAN where a line ends', lines(`${standard.slice(0, LINE - 23)}/${IBAN}${standard.slice(LINE)}`, 76)],
  ['an IBAN at the end of a run', `${standard.slice(0, 900)}/${IBAN} and so on`],
  ['a card number', `${standard.slice(0, 700)}/4111111111111111/${standard.slice(700)}`],
  ['an IBAN in a picture', `![a](data:image/png;base64,${standard.slice(0, 900)}/${IBAN}/${standard.slice(900)})`],
  ...KEYS.map((one) => [one.slice(0, 6), `${url.slice(0, 700)}-${one}-${url.slice(700)}`] as const),
]
for (const [what, text] of CHANCE) {
  test(`by chance: ${what}`, () => {
    for (const stage of ['request', 'response'] as const) assert.deepEqual(kinds(`see ${text}`, stage), [])
  })
}

const MEANT: readonly (readonly [what: string, text: string, count: number])[] = [
  ['an IBAN behind a run', `${standard} ${IBAN}`, 1],
  ['an IBAN in front of one', `${IBAN} ${standard}`, 1],
  ['an IBAN in a short run', `${standard.slice(0, 200)}/${IBAN}/${standard.slice(0, 200)}`, 1],
  ['an IBAN in an address', `https://x.example/${'accounts/'.repeat(20)}${IBAN}`, 1],
  ['an IBAN in a long path of words', `${'accounts/of/people/'.repeat(40)}${IBAN}/statement`, 1],
  ['keys, each in a line', KEYS.map((one) => `see ${one} there`).join('\n'), KEYS.length],
  [
    'long keys, each a line',
    Array.from({ length: 9 }, (_, row) => ['sk', 'proj', made(120, 'alnum', row)].join('-')).join('\n'),
    9,
  ],
  ['a key in front of a run', `${KEYS[1]} ${url}`, 1],
  ['a private key', privateKey(), 1],
  ['a private key in base64', Buffer.from(privateKey()).toString('base64'), 1],
]
for (const [what, text, count] of MEANT) {
  test(`meant: ${what}`, () => {
    for (const stage of ['request', 'response'] as const) assert.equal(kinds(text, stage).length, count)
  })
}
