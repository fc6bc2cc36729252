/** Addresses of databases: what is read from them, and what is refused. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatPostgresAddress, type PostgresAddress, parsePostgresAddress } from '../../contract/postgres-address.ts'

const basis: PostgresAddress = {
  host: 'db.example',
  port: 5432,
  database: 'd',
  user: 'u',
  password: undefined,
  sslMode: 'verify-full',
  sslRootCert: undefined,
  applicationName: undefined,
  isPreparing: true,
}

describe('an address', () => {
  const rows: readonly Readonly<{ text: string; is: Partial<PostgresAddress> }>[] = [
    { text: 'postgresql://u@db.example/d', is: {} },
    { text: 'postgres://u@db.example:6000/d', is: { port: 6000 } },
    { text: 'postgresql://u@db.example/d?port=6000', is: { port: 6000 } },
    { text: 'postgresql://u@db.example', is: { database: 'u' } },
    { text: 'postgresql://u:p%40%2F%3A@db.example/d', is: { password: 'p@/:' } },
    { text: 'postgresql://u%2Fv@db.example/d%20e', is: { user: 'u/v', database: 'd e' } },
    { text: 'postgresql://u@/d?host=/run/tappass/postgres', is: { host: '/run/tappass/postgres', sslMode: 'disable' } },
    { text: 'postgresql://u:x@/d?host=%2Frun%2Fp', is: { host: '/run/p', password: 'x', sslMode: 'disable' } },
    { text: 'postgresql://u@%2Frun%2Fp/d', is: { host: '/run/p', sslMode: 'disable' } },
    { text: 'postgresql://u@/d', is: { host: 'localhost', sslMode: 'disable' } },
    { text: 'postgresql://u@:6000/d', is: { host: 'localhost', port: 6000, sslMode: 'disable' } },
    { text: 'postgresql://u@localhost/d', is: { host: 'localhost', sslMode: 'disable' } },
    { text: 'postgresql://u@127.0.0.1/d', is: { host: '127.0.0.1', sslMode: 'disable' } },
    { text: 'postgresql://u@[::1]:6000/d', is: { host: '::1', port: 6000, sslMode: 'disable' } },
    { text: 'postgresql://u@db.example/d?sslmode=require', is: { sslMode: 'require' } },
    {
      text: 'postgresql://u@db.example/d?sslmode=verify-ca&sslrootcert=/ca.pem',
      is: { sslMode: 'verify-ca', sslRootCert: '/ca.pem' },
    },
    { text: 'postgresql://u@db.example/d?prepare=off', is: { isPreparing: false } },
    { text: 'postgresql://u@db.example:6543/d', is: { port: 6543, isPreparing: false } },
    { text: 'postgresql://u@db.example/d?application_name=x', is: { applicationName: 'x' } },
  ]
  for (const { text, is } of rows) test(text, () => assert.deepEqual(parsePostgresAddress(text), { ...basis, ...is }))
})

describe('is refused', () => {
  const rows: readonly Readonly<{ text: string; says: RegExp }>[] = [
    { text: 'https://abc.supabase.co', says: /begin with postgresql:\/\// },
    { text: 'mysql://u@h/d', says: /begin with postgresql:\/\// },
    { text: 'postgresql://db.example/d', says: /names no user/ },
    { text: 'postgresql://u:secret@h:99999/d', says: /not an address/ },
    { text: 'postgresql://u:secret@h/d?port=0', says: /port has to be 1 to 65535/ },
    { text: 'postgresql://u:secret@h/d?sslmod=require', says: /"sslmod" is not known/ },
    { text: 'postgresql://u:secret@h/d?sslmode=prefer', says: /sslmode=prefer is not one of/ },
    { text: 'postgresql://u:secret@h/d?prepare=maybe', says: /prepare=maybe is neither on nor off/ },
    { text: 'postgresql://u:secret@h:x/d', says: /not an address/ },
  ]
  for (const { text, says } of rows) {
    test(`${text}, without its password`, () => {
      assert.throws(() => parsePostgresAddress(text), says)
      assert.throws(
        () => parsePostgresAddress(text),
        ({ message }: Error) => !message.includes('secret'),
      )
    })
  }
})

test('is shown without its password', () => {
  assert.equal(formatPostgresAddress({ ...basis, password: 'secret' }), 'database d as u at db.example:5432')
  assert.equal(formatPostgresAddress({ ...basis, host: '/run/p' }), 'database d as u at /run/p')
})
