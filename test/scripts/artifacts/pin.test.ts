/** `versions.yaml` as the toolkit reads it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parsePins } from '../../../scripts/artifacts/pin.ts'

const text = readFileSync(new URL('../../../versions.yaml', import.meta.url), 'utf8')

test('pins: the repository has every one, images by digest', () => {
  const { images } = parsePins(text)
  for (const { reference } of Object.values(images)) assert.match(reference, /^[a-z]+:[^@]+@sha256:[0-9a-f]{64}$/)
})

const breaches = [
  ['a checksum that is none', text.replace(/linux-x64: [0-9a-f]{64}/, 'linux-x64: latest'), /archives/],
  ['a fingerprint that is short', text.replace(/fingerprint: \w+/, 'fingerprint: 0EBFCD88'), /fingerprint/],
  ['no images', text.replace(/^images:/m, 'pictures:'), /images/],
] as const

for (const [name, broken, message] of breaches)
  test(`pins: ${name}`, () => assert.throws(() => parsePins(broken), message))
