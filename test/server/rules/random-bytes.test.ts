/** Pictures, sound and other bytes in base64 are no secrets: tokens are told apart by more than a few letters. */
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { createStep } from '../../../server/steps/detect-secrets.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf } from '../pipeline/call-fixture.ts'

const step = createStep(testEngine())

/** Bytes that look like chance, the same in every run: eight megabytes of base64 in pieces of 200 KB. */
const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 5), Buffer.alloc(16))
const PIECES = Array.from({ length: 40 }, () => cipher.update(Buffer.alloc(150_000)))

const WRITTEN: readonly (readonly [name: string, write: (bytes: Buffer) => string])[] = [
  ['base64', (bytes) => bytes.toString('base64')],
  ['base64 in lines', (bytes) => bytes.toString('base64').replace(/.{76}/g, '$&\n')],
]

for (const [name, write] of WRITTEN) {
  test(`bytes by chance in ${name}`, async () => {
    const found = new Map<string, number>()
    for (const bytes of PIECES) {
      const segments = [{ pointer: '/choices/0/delta/audio/data', author: 'assistant', text: write(bytes) }] as const
      for (const { kind, confidence } of await step.inspect(callOf({}, { segments }), undefined as never))
        if (confidence >= 0.5) found.set(kind, (found.get(kind) ?? 0) + 1)
    }
    assert.deepEqual([...found], [])
  })
}
