/** What the vault key is for: nothing is encrypted with it, so that a rotation has nothing to encrypt again. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const SERVER = join(import.meta.dirname, '../../server')

/** The table was meant for what is sealed with the key; `scripts/resources/replaced-secret.ts` would have to seal that again. */
const SEALING = /createCipher|createDecipher|vault_secrets/

test('vault key: no program of the gateway encrypts with it, and none uses the table for what is sealed', () => {
  const sources = readdirSync(SERVER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  assert.ok(sources.length > 100)
  assert.deepEqual(
    sources.filter((name) => SEALING.test(readFileSync(join(SERVER, name), 'utf8'))),
    [],
  )
})
