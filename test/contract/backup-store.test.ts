/** Where copies of backups go, and how they are doing: rows. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type CopyRecord, judgeCopies, storeCredentialProblem, storeLabel } from '../../contract/backup-store.ts'

const NOW = Date.parse('2026-11-27T12:00:00Z')
const at = '2026-11-27T11:30:00Z'
const store = 'the store'

const RECORDS: readonly (readonly [record: CopyRecord | undefined, level: string, state: RegExp])[] = [
  [undefined, 'soon', /no copy was tried yet/],
  [{ at, store }, 'ok', /no verified backup yet/],
  [{ at, store, copiedAt: at }, 'ok', /copied 2026-11-27T11:30/],
  [{ at, store, copiedAt: at, waitingSince: at }, 'ok', /a copy is being made/],
  [{ at, store, waitingSince: at, problem: 'it is full' }, 'soon', /no copy was ever made: it is full/],
  [
    { at, store, copiedAt: '2026-11-20T00:00:00Z', waitingSince: '2026-11-26T11:00:00Z', problem: 'it is full' },
    'failed',
    /since 2026-11-20T00:00:00Z: it is full/,
  ],
  [{ at, store, waitingSince: '2026-11-26T11:00:00Z' }, 'failed', /the copy is not finished/],
  [{ at: '2026-11-27T08:00:00Z', store, copiedAt: at }, 'failed', /its timer has not run/],
  [{ at, store, copiedAt: at, walCopiedAt: at }, 'ok', /copied 2026-11-27T11:30:00Z, the log until 2026-11-27T11:30/],
  [{ at, store, copiedAt: at, walWaitingSince: at }, 'ok', /being made, the log waits since 2026-11-27T11:30/],
  [
    { at, store, copiedAt: at, walWaitingSince: at, problem: 'it is full' },
    'soon',
    /, the log waits since 2026-11-27T11:30:00Z: it is full/,
  ],
  [
    { at, store, copiedAt: at, walWaitingSince: '2026-11-27T10:59:00Z', problem: 'it is full' },
    'failed',
    /, the log waits since 2026-11-27T10:59:00Z: it is full/,
  ],
  [{ at, store, copiedAt: at, rotten: 'a set: a part is missing' }, 'failed', /a copy is rotten: a set: a part/],
  [{ at: 'nonsense', store }, 'failed', /its timer has not run/],
]

for (const [record, level, state] of RECORDS)
  test(`${JSON.stringify(record)} is ${level}`, () => {
    const found = judgeCopies(record, NOW)
    assert.equal(found.level, level)
    assert.match(found.state, state)
  })

const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

const CREDENTIALS: readonly (readonly [id: string, text: string, isGood: boolean])[] = [
  ['backup-store-key-id', 'AKIAEXAMPLE', true],
  ['backup-store-key-id', 'two words', false],
  ['backup-store-secret', 'abc/+=', true],
  ['backup-store-ssh-key', pem, true],
  ['backup-store-ssh-key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', true],
  ['backup-store-ssh-key', 'ssh-ed25519 AAAA', false],
  ['another-secret', 'two words', true],
]

for (const [id, text, isGood] of CREDENTIALS)
  test(`${id}: ${text.slice(0, 40)}`, () => assert.equal(storeCredentialProblem(id, text) === undefined, isGood))

test('a store is told by words that hold no secret', () => {
  const folder = { kind: 'ssh', user: 'u', host: 'fd77::1', port: 22, folder: '/copies', hostKey: '' } as const
  assert.equal(storeLabel(folder), 'ssh://u@[fd77::1]:22/copies')
  const bucket = { kind: 's3', endpoint: 'https://s3.example.com/', bucket: 'b', region: 'r', prefix: 'one/' } as const
  assert.equal(storeLabel(bucket), 'https://s3.example.com/b/one/')
})
