/**
 * No text takes many times its size: a thread that may hold a little more than rules, steps and the text looks through each
 * of the texts that are made to be slow. What collects a text's characters, numbers or matches one by one ends it.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { OTHER_ADVERSARIES, repeatedTo } from '../../../bench/adversary.ts'
import { systemClock } from '../../../server/adapters/system.ts'
import { createThreadPool } from '../../../server/adapters/thread-pool.ts'
import type { Stage } from '../../../server/core/call.ts'
import { rowsHere } from '../../rounds.ts'
import { callOf } from '../pipeline/call-fixture.ts'

const CHARS = 1_000_000
/** Rules and steps take some 13 MB. */
const HEAP_MB = 56

const folder = join(import.meta.dirname, '../../../server')
const inspector = createThreadPool({
  worker: join(folder, 'inspection/worker.ts'),
  workerData: { stepFolders: [join(folder, 'steps')], aliasKey: new Uint8Array(32) },
  clock: systemClock,
  limits: { processorMs: 60_000, elapsedMs: 600_000 },
  heapMb: HEAP_MB,
})
after(() => inspector.close())

const DETECTORS: Readonly<Record<Stage, readonly string[]>> = {
  request: ['detect_pii', 'detect_secrets', 'detect_unicode', 'classify_data', 'detect_opaque', 'detect_injection'],
  response: ['detect_pii', 'detect_secrets', 'classify_data', 'scan_output'],
}

for (const stage of ['request', 'response'] as const) {
  test(`texts of a ${stage}`, async () => {
    for (const one of rowsHere(OTHER_ADVERSARIES)) {
      const text = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: repeatedTo(CHARS, one) }] })
      const call = callOf({ stage, text, body: undefined, segments: [] })
      const given = {
        call,
        gates: [],
        detectors: DETECTORS[stage],
        limits: { agent: [], org: [] } as never,
        isTextWanted: false,
      }
      const { status } = await inspector.inspect(given).catch((cause: unknown) => {
        throw new Error(`${one.name}: ${String(cause)}`)
      })
      assert.equal(status, 'inspected', one.name)
    }
  })
}
