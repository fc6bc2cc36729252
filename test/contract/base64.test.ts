/** Base64 is read in its one spelling. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOfBase64 } from '../../contract/base64.ts'

const ROWS: readonly (readonly [text: string, encoding: 'base64' | 'base64url', bytes: string | undefined])[] = [
  ['', 'base64', ''],
  ['AA==', 'base64', '00'],
  ['AB==', 'base64', undefined],
  ['AAA=', 'base64', '0000'],
  ['AAB=', 'base64', undefined],
  ['AAAA', 'base64', '000000'],
  ['AA', 'base64', undefined],
  ['AA=', 'base64', undefined],
  ['A A=', 'base64', undefined],
  ['AA==\n', 'base64', undefined],
  ['-_8=', 'base64', undefined],
  ['+/8=', 'base64', 'fbff'],
  ['-_8', 'base64url', 'fbff'],
  ['-_9', 'base64url', undefined],
  ['-_8=', 'base64url', undefined],
]
for (const [text, encoding, bytes] of ROWS) {
  test(`${encoding} ${JSON.stringify(text)}: ${bytes ?? 'is not its one spelling'}`, () =>
    assert.equal(bytesOfBase64(text, encoding)?.toString('hex'), bytes))
}
