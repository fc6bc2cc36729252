/** The setting `backup.store`: what is taken, what is refused, and what follows from it. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { recoveryPair } from '../../../contract/recovery-key.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { neededStoreSecrets, storeOf } from '../../../scripts/storage/backup-store-spec.ts'

const { recipient: recoveryKey } = recoveryPair(generateKeyPairSync('x25519').privateKey)
const s3 = { endpoint: 'https://s3.example.com', bucket: 'copies' }
const ssh = { target: 'u@nas.example.com:/copies', hostKey: 'ssh-ed25519 AAAA' }

const parsed = (store: object, rest: object = { recoveryKey }) =>
  parseHostSpec({ backup: { store, ...rest } }, 'host.yaml')

test('a bucket and a folder, with their defaults and their secrets', () => {
  assert.deepEqual(storeOf(parsed({ s3 })), { kind: 's3', ...s3, region: 'us-east-1', prefix: '' })
  const folder = { kind: 'ssh', user: 'u', host: 'fd77::1', port: 2222, folder: '/a/b', hostKey: 'ssh-ed25519 AAAA' }
  assert.deepEqual(storeOf(parsed({ ssh: { ...ssh, target: 'u@[fd77::1]:/a/b', port: 2222 } })), folder)
  assert.deepEqual(
    [{ s3 }, { ssh }].map((store) => neededStoreSecrets(parsed(store)).map(({ id }) => id)),
    [['backup-store-key-id', 'backup-store-secret'], ['backup-store-ssh-key']],
  )
  assert.equal(storeOf(parseHostSpec({}, 'host.yaml')), undefined)
})

const BAD: readonly (readonly [what: string, store: object, why: RegExp, rest?: object])[] = [
  ['neither', {}, /needs s3 or ssh, and not both/],
  ['both', { s3, ssh }, /needs s3 or ssh, and not both/],
  ['no recovery key', { s3 }, /needs backup.recoveryKey/, {}],
  ['keys in the address', { s3: { ...s3, endpoint: 'https://key:secret@s3.example.com' } }, /keys go in with --secret/],
  ['a path in the address', { s3: { ...s3, endpoint: 'https://s3.example.com/copies' } }, /must be https:/],
  ['a prefix without a slash', { s3: { ...s3, prefix: 'one' } }, /end with a slash/],
  ['a bucket that is none', { s3: { ...s3, bucket: 'A_B' } }, /name of a bucket/],
  ['a folder that is no path', { ssh: { ...ssh, target: 'u@nas.example.com:copies' } }, /USER@HOST:\/FOLDER/],
  ['no host key', { ssh: { target: ssh.target } }, /hostKey/],
  ['a fingerprint', { ssh: { ...ssh, hostKey: 'SHA256:abc' } }, /public host key/],
  ['a key that there is not', { s3: { ...s3, secret: 'x' } }, /unknown key/],
]

for (const [what, store, why, rest] of BAD)
  test(`refused: ${what}`, () =>
    assert.throws(
      () => parsed(store, rest),
      (error: { text: { why?: string } }) => why.test(error.text.why ?? ''),
    ))
