/** The next value of a secret: when it is stored beside the current one, and when that is left alone. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type StagedSecretOptions, stagedSecret } from '../../../scripts/resources/staged-secret.ts'
import { isSameFact, storedAtFact } from '../../../scripts/secrets/secret-fact.ts'
import { argvOf, factReaderOf, factRow, planLines, traits } from '../known-host.ts'

const value = ['open', 'sesame'].join('-')
const sha256 = createHash('sha256').update(value).digest('hex')
const provided = { sha256, readValue: () => value }
const asked: StagedSecretOptions = {
  id: 'key',
  generate: 'token',
  isShownOnce: true,
  provided: undefined,
  storedBefore: 1000,
  isCompromised: false,
}
const handedIn: StagedSecretOptions = { ...asked, provided, storedBefore: undefined }

type Host = Readonly<{ storedAt?: number; nextStoredAt?: number; isCurrent?: boolean; isNext?: boolean }>

const rowsOf = ({ storedAt, nextStoredAt, isCurrent = false, isNext = false }: Host) => [
  traits(),
  factRow(storedAtFact('key'), storedAt),
  factRow(storedAtFact('key-next'), nextStoredAt),
  factRow(isSameFact('key', sha256), isCurrent),
  factRow(isSameFact('key-next', sha256), isNext),
]

const ROWS: readonly Readonly<{ name: string; options: StagedSecretOptions; host: Host; because?: string }>[] = [
  {
    name: 'older than asked for',
    options: asked,
    host: { storedAt: 999 },
    because: 'its rotation was asked for; instances learn it one after the other',
  },
  { name: 'stored in the second of the run, by the run itself', options: asked, host: { storedAt: 1000 } },
  { name: 'begun already', options: asked, host: { storedAt: 1, nextStoredAt: 900 } },
  {
    name: 'begun already, and one of the two may be known to somebody else',
    options: { ...asked, isCompromised: true },
    host: { storedAt: 1, nextStoredAt: 999 },
    because: 'its rotation was asked for; instances learn it one after the other',
  },
  {
    name: 'exposed, and the next value is of this run',
    options: { ...asked, isCompromised: true },
    host: { storedAt: 1, nextStoredAt: 1000 },
  },
  {
    name: 'exposed, and in force since this run',
    options: { ...asked, isCompromised: true },
    host: { storedAt: 1000 },
  },
  { name: 'absent: it is generated, not staged', options: asked, host: {} },
  {
    name: 'another value was handed in',
    options: handedIn,
    host: { storedAt: 2000 },
    because: 'another value was provided',
  },
  {
    name: 'a third value was handed in while a rotation has begun',
    options: handedIn,
    host: { storedAt: 1, nextStoredAt: 2 },
    because: 'another value was provided',
  },
  { name: 'the current value was handed in', options: handedIn, host: { storedAt: 1, isCurrent: true } },
  { name: 'the next value was handed in', options: handedIn, host: { storedAt: 1, nextStoredAt: 2, isNext: true } },
  { name: 'handed in where there is none: it is stored, not staged', options: handedIn, host: {} },
]

for (const { name, options, host, because } of ROWS) {
  test(`staged secret: ${name}`, async () => {
    const wanted =
      because === undefined ? [] : [`store the next value of key beside the current one, because ${because}`]
    assert.deepEqual(await planLines(stagedSecret(options), rowsOf(host)), wanted)
  })
}

test('staged secret: a generated value is marked to be shown, a provided one is not, and no value is in an argument', async () => {
  for (const [options, marker] of [
    [asked, '/var/lib/tappass/unshown'],
    [handedIn, ''],
  ] as const) {
    const changes = await stagedSecret(options).plan(factReaderOf(rowsOf({ storedAt: 1 })))
    const argv = argvOf(changes)[0] ?? []
    assert.deepEqual(argv.slice(-4), ['key-next', '/etc/credstore.encrypted/key-next', 'encrypted', marker])
    assert.equal(JSON.stringify(argv).includes(value), false)
  }
})
