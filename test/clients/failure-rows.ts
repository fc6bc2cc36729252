/**
 * What goes wrong, as rows: every client raises the class that it has for it, with a message that says why, and sends again only what
 * may come right. Classes are the client's own, by kind.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privateKey } from '../server/rules/fixture.ts'
import type { Classes, Kind } from './client-list.ts'
import type { ClientUnderTest } from './client-test.ts'
import type { Asked } from './driver.ts'

type Row = Readonly<{
  what: string
  kind: Kind
  asked: Partial<Asked>
  stream?: true
  says: RegExp
  requests?: number
}>

const KEY_FOUND = /Secret detected: PRIVATE_KEY \(detect_secrets\)/

const ROWS: readonly Row[] = [
  { what: 'a refused request', kind: 'refused', asked: { content: privateKey() }, says: KEY_FOUND },
  { what: 'a refused stream', kind: 'refused', stream: true, asked: { content: privateKey() }, says: KEY_FOUND },
  { what: 'a refused answer', kind: 'refused', asked: { model: 'secret' }, says: KEY_FOUND },
  { what: 'a refused tool call', kind: 'refused', asked: { model: 'secret-in-a-call' }, says: KEY_FOUND },
  { what: 'a stream refused in its middle', kind: 'cut', stream: true, asked: { model: 'secret' }, says: KEY_FOUND },
  {
    what: 'a stream refused in a tool call',
    kind: 'cut',
    stream: true,
    asked: { model: 'secret-in-a-call' },
    says: KEY_FOUND,
  },
  { what: 'a stream that breaks off', kind: 'cut', stream: true, asked: { model: 'broken' }, says: /broke off/ },
  { what: "a provider's key", kind: 'key', asked: { apiKey: 'sk-of-the-provider' }, says: /key of its own.*tp_|tp_/ },
  { what: 'a body too large', kind: 'large', asked: { content: 'a b '.repeat(1_500_000) }, says: /larger than/ },
  { what: "the model server's limit", kind: 'limit', asked: { model: 'fails-429' }, says: /says 429/, requests: 3 },
  {
    what: 'a model server out of order',
    kind: 'unavailable',
    asked: { model: 'fails-503' },
    says: /says 503/,
    requests: 3,
  },
  {
    what: 'a model server that breaks off',
    kind: 'server',
    asked: { model: 'cut' },
    says: /could not be reached/,
    requests: 3,
  },
  { what: "a refusal of the gateway's own key", kind: 'server', asked: { model: 'fails-401' }, says: /did not accept/ },
]

/** What a client repeats by itself, with all that its inner client sends. */
const REPEATED: ReadonlySet<Kind> = new Set(['limit', 'unavailable', 'server'])

/** Tests the rows, with the features `ask` and `stream` of the client, which makes a failed call so many `rounds` times. */
export function testFailures(
  client: ClientUnderTest,
  ask: string,
  stream: string | undefined,
  classes: Classes,
  rounds = 1,
): void {
  for (const row of ROWS) {
    const expected = classes[row.kind]
    const feature = row.stream ? stream : ask
    if (expected === undefined || feature === undefined) continue
    test(`raises: ${row.what}`, async () => {
      const { raised, requests } = await client.governed({ feature, model: 'text', retries: 2, ...row.asked })
      assert.equal(raised?.classes[0], expected, raised?.where ?? 'nothing was raised')
      assert.match(raised?.message ?? '', row.says)
      assert.equal(requests, (row.requests ?? 1) * (REPEATED.has(row.kind) ? rounds : 1))
    })
  }
}

/** Tests that the client sends again what may come right, after as long as it is told. */
export function testRetries(client: ClientUnderTest, ask: string): void {
  for (const model of ['once-429', 'once-503']) {
    test(`sends again: ${model}`, async () => {
      const { raised, requests } = await client.governed({ feature: ask, model, retries: 2 })
      assert.equal(raised, undefined)
      assert.equal(requests, 2)
    })
  }
}
