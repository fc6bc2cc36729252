/** The way to a release: over a stop of the ladder there is none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { targetFact } from '../../../scripts/facts/path.ts'
import { releasePath } from '../../../scripts/resources/release-path.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const stops = [{ version: '2.0.0', reason: 'the salts move' }]
const from = (current: string | undefined) =>
  releasePath({ version: '3.0.0-bbbbbbbbbbbb', stops }).plan(
    factReaderOf([factRow(targetFact('/opt/tappass/current'), current)]),
  )

for (const current of [
  undefined,
  '/opt/tappass/releases/2.0.0-aaaaaaaaaaaa',
  '/opt/tappass/releases/3.1.0-cccccccccccc',
])
  test(`from ${current}: nothing stands in the way`, async () => assert.deepEqual(await from(current), []))

test('a jump over a stop: exit 5 with the reason and the path', async () => {
  const failure = await from('/opt/tappass/releases/1.9.0-aaaaaaaaaaaa').catch((error: unknown) => error)
  assert.ok(failure instanceof Failure)
  assert.equal(failure.code, 5)
  assert.equal(failure.text.why, 'the salts move; the path is 1.9.0-aaaaaaaaaaaa -> 2.0.0 -> 3.0.0-bbbbbbbbbbbb')
})
