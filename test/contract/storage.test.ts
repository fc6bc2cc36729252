/** Addresses of storage that somebody else runs: what is accepted for a server, what is refused, and that no answer holds a password. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roleOf } from '../../contract/postgres-address.ts'
import { parseRedisAddress } from '../../contract/redis-address.ts'
import { storageCredentialProblem } from '../../contract/storage.ts'

const PASSWORD = ['p', 'w', '0'].join('')

const rows: readonly (readonly [id: string, text: string, problem: RegExp | undefined])[] = [
  ['database-url', `postgresql://u:${PASSWORD}@db.example/d`, undefined],
  ['database-url', `postgresql://u:${PASSWORD}@db.example:6543/d?sslmode=verify-full`, undefined],
  ['database-owner-url', `postgres://u:${PASSWORD}@10.0.0.1/d?sslmode=disable`, undefined],
  ['database-url', 'postgresql://u@db.example/d', /has no password/],
  ['database-url', `postgresql://u:${PASSWORD}@/d?host=/run/postgresql`, /is a socket on one machine/],
  ['database-url', `postgresql://u:${PASSWORD}@db.example/d?sslmode=prefer`, /sslmode=prefer is not one of/],
  ['database-url', `postgresql://u:${PASSWORD}@db.example/d?sslrootcert=/etc/ca.pem`, /the secret database-ca/],
  ['database-url', `postgresql://u:${PASSWORD}@db.example/d?sslmod=require`, /parameter "sslmod" is not known/],
  ['database-owner-url', `https://u:${PASSWORD}@db.example`, /has to begin with postgresql/],
  ['redis-url', `rediss://u:${PASSWORD}@redis.example:6380`, undefined],
  ['redis-url', `redis://:${PASSWORD}@10.0.0.1/0`, undefined],
  ['redis-url', 'redis://10.0.0.1', undefined],
  ['redis-url', 'unix:///run/redis.sock', /has to begin with rediss/],
  ['redis-url', `redis://u:${PASSWORD}@h/0?tls=no`, /parameters, of which none is known/],
  ['redis-url', `redis://u:${PASSWORD}@h/queue`, /the number of a database/],
  ['redis-url', 'redis://', /is not an address/],
  ['database-ca', 'no certificate', /not a certificate in PEM/],
  ['redis-ca', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /not a certificate in PEM/],
  ['openai-api-key', 'anything', undefined],
]

for (const [id, text, problem] of rows)
  test(`${id}: ${text.replaceAll(PASSWORD, '…').replaceAll('\n', ' ')}`, () => {
    const found = storageCredentialProblem(id, text)
    if (problem === undefined) return assert.equal(found, undefined)
    assert.match(found ?? '', problem)
    assert.equal(found?.includes(PASSWORD), false)
  })

test('the parts of a Redis address', () => {
  assert.deepEqual(parseRedisAddress(`rediss://ops:${PASSWORD}%40@[fd00::1]:7000/2`), {
    host: 'fd00::1',
    port: 7000,
    user: 'ops',
    password: `${PASSWORD}@`,
    isEncrypted: true,
  })
  const { port, user, isEncrypted } = parseRedisAddress(`redis://:${PASSWORD}@h`)
  assert.deepEqual([port, user, isEncrypted], [6379, undefined, false])
})

test('a pooler is told the project beside the role', () => {
  assert.equal(roleOf({ host: 'aws-0-eu.pooler.supabase.com', user: 'tappass.abcdef' }), 'tappass')
  assert.equal(roleOf({ host: 'db.example', user: 'tappass.abcdef' }), 'tappass.abcdef')
})
