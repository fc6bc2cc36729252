/** The lines by which a unit gets its secrets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialLine, optionalCredentialLines } from '../../../scripts/secrets/credential.ts'

const rows = [
  { credentialStore: 'encrypted', line: 'LoadCredentialEncrypted=k:/etc/credstore.encrypted/k' },
  { credentialStore: 'plain', line: 'LoadCredential=k:/etc/credstore/k' },
] as const

for (const { credentialStore, line } of rows) {
  test(`credential: ${credentialStore}`, () => {
    assert.equal(credentialLine({ credentialStore }, 'k'), line)
    assert.deepEqual(optionalCredentialLines({ credentialStore }, 'k'), [line, 'SetCredential=k:\\n'])
  })
}
