/**
 * Tests of one client: each feature asked straight at the stand-in and through the gateway, by one running client at one gateway.
 * Requests are counted where they arrive, those that the gateway refuses included.
 */
import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
import { type BothWays, type Place, startBothWays } from './both-ways.ts'
import type { Asked, Driver, Outcome } from './driver.ts'

/** What came of it, how many requests it took, and what reached the model server. */
export type Counted = Outcome & Readonly<{ requests: number; sent: readonly string[] }>

/** A client under test. */
export type ClientUnderTest = Readonly<{
  ways: () => BothWays
  direct: (asked: Asked) => Promise<Counted>
  governed: (asked: Asked) => Promise<Counted>
  /** Tests that each row gives its user, and sends the model server, the same both ways. */
  testSame: (rows: readonly SameRow[]) => void
}>

/** A feature and the row that the stand-in answers. `raises` is the class that the client raises without the gateway too. */
export type SameRow = readonly [feature: string, model: string, raises?: string | undefined, content?: unknown]

/** What the gateway adds, and where in the client an exception came from. */
const OWN = new Set(['tappass', 'where'])

/** Without members that differ by design. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([name]) => !OWN.has(name))
  return Object.fromEntries(members.map(([name, member]) => [name, comparable(member)]))
}

/** Starts both for a test file, and stops them after it. */
export function useClient(start: () => Driver): ClientUnderTest {
  let ways: BothWays
  let driver: Driver
  let arrived = 0
  let port = ''
  const count = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage }
    if (String(request.socket.localPort) === port && request.url !== '/health') arrived += 1
  }
  before(async () => {
    driver = start()
    ways = await startBothWays()
    diagnostics.subscribe('http.server.request.start', count)
  })
  after(async () => {
    diagnostics.unsubscribe('http.server.request.start', count)
    await driver.close()
    await ways.close()
  })
  const askAt = async (place: Place, asked: Asked): Promise<Counted> => {
    const { received } = ways.gateway.models
    arrived = 0
    received.length = 0
    port = new URL(place.baseURL).port
    const outcome = await driver.ask({ ...place, ...asked })
    return { ...outcome, requests: arrived, sent: received.map(({ path, body }) => `${path} ${body}`) }
  }
  const direct = (asked: Asked): Promise<Counted> => askAt(ways.direct, asked)
  const governed = (asked: Asked): Promise<Counted> => askAt(ways.governed, asked)
  return {
    ways: () => ways,
    direct,
    governed,
    testSame: (rows) => {
      for (const [feature, model, raises, content] of rows) {
        test(`${feature}: ${model}`, async () => {
          const asked = { feature, model, ...(content !== undefined && { content }) }
          const expected = await direct(asked)
          assert.equal(expected.raised?.classes[0], raises, expected.raised?.where ?? 'nothing was raised')
          assert.deepEqual(comparable(await governed(asked)), comparable(expected))
        })
      }
    },
  }
}
