/** known_hosts as ssh(1) reads it: rows of files, hosts and keys. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import {
  checkHostKey,
  keyType,
  keyTypesOf,
  knownHostName,
  parseKnownHosts,
  renderKnownHost,
} from '../../../scripts/connection/known-hosts.ts'

/** A key is a string with its type, then the rest; what the rest is does not matter here. */
const blob = (type: string, rest: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return Buffer.concat([length, Buffer.from(type), Buffer.from(rest)])
}
const mine = blob('ssh-ed25519', 'mine')
const other = blob('ssh-ed25519', 'other')
const rsa = blob('ssh-rsa', 'rsa')
const line = (hosts: string, key: Buffer, marker = '') =>
  `${marker}${hosts} ${keyType(key)} ${key.toString('base64')} a comment`
const hashed = (name: string, salt = Buffer.from('salt')) =>
  `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`

const rows: readonly Readonly<{
  name: string
  file: string
  host?: string
  port?: number
  key?: Buffer
  status: string
  line?: number
}>[] = [
  { name: 'known', file: line('server', mine), status: 'known' },
  { name: 'among other lines', file: `# a comment\n\n   \ndamaged\n${line('server', mine)}\n`, status: 'known' },
  { name: 'one of several names', file: line('a,server,b', mine), status: 'known' },
  { name: 'names are not case sensitive', file: line('SERVER', mine), host: 'Server', status: 'known' },
  { name: 'windows line ends', file: `${line('server', mine)}\r\n`, status: 'known' },
  { name: 'empty', file: '', status: 'unknown' },
  { name: 'another host', file: line('other', mine), status: 'unknown' },
  { name: 'a name that only begins alike', file: line('serv', mine), status: 'unknown' },
  { name: 'a dot is a dot', file: line('s.rver', mine), status: 'unknown' },
  { name: 'changed', file: line('server', other), status: 'changed', line: 1 },
  { name: 'one of two keys of a type', file: `${line('server', other)}\n${line('server', mine)}`, status: 'known' },
  { name: 'another type only', file: line('server', rsa), status: 'other-types', line: 1 },
  { name: 'several types', file: `${line('server', rsa)}\n${line('server', mine)}`, status: 'known' },
  { name: 'another port is another host', file: line('server', mine), port: 2222, status: 'unknown' },
  { name: 'a port', file: line('[server]:2222', mine), port: 2222, status: 'known' },
  { name: 'an address of the sixth version', file: line('fe80::1', mine), host: 'fe80::1', status: 'known' },
  { name: 'the same with a port', file: line('[fe80::1]:22022', mine), host: 'fe80::1', port: 22022, status: 'known' },
  { name: 'hashed', file: line(hashed('server'), mine), status: 'known' },
  { name: 'hashed with a port', file: line(hashed('[server]:2222'), mine), port: 2222, status: 'known' },
  { name: 'hashed, changed', file: line(hashed('server'), other), status: 'changed', line: 1 },
  { name: 'the hash of another', file: line(hashed('other'), mine), status: 'unknown' },
  { name: 'a damaged hash', file: line('|1|c2FsdA==|', mine), status: 'unknown' },
  { name: 'wildcards', file: line('10.77.*.?', mine), host: '10.77.12.2', status: 'known' },
  {
    name: 'a wildcard with an exception',
    file: line('*.example,!bad.example', mine),
    host: 'bad.example',
    status: 'unknown',
  },
  {
    name: 'the exception is for that one only',
    file: line('*.example,!bad.example', mine),
    host: 'good.example',
    status: 'known',
  },
  { name: 'revoked', file: `${line('server', mine)}\n${line('*', mine, '@revoked ')}`, status: 'revoked', line: 2 },
  {
    name: 'another key is revoked',
    file: `${line('*', other, '@revoked ')}\n${line('server', mine)}`,
    status: 'known',
  },
  { name: 'an authority alone', file: line('server', other, '@cert-authority '), status: 'authority', line: 1 },
  {
    name: 'an authority beside the key',
    file: `${line('*', other, '@cert-authority ')}\n${line('server', mine)}`,
    status: 'known',
  },
  { name: 'an unknown marker', file: line('server', mine, '@new '), status: 'unknown' },
]

for (const { name, file, host = 'server', port = 22, key = mine, status, line: at } of rows) {
  test(`known_hosts: ${name}`, () => {
    const result = checkHostKey(parseKnownHosts(file), host, port, key)
    assert.equal(result.kind, status)
    assert.equal('line' in result ? result.line : undefined, at)
  })
}

test('known_hosts: the kinds of key to ask for, without those that speak for others', () => {
  const file = [
    line('server', rsa),
    line('server', other, '@cert-authority '),
    line('server', mine),
    line('x', other),
  ].join('\n')
  assert.deepEqual(keyTypesOf(parseKnownHosts(file), 'server', 22), ['ssh-rsa', 'ssh-ed25519'])
})

test('known_hosts: what is added is known afterwards', () => {
  for (const port of [22, 2222]) {
    const text = renderKnownHost('Server', port, mine)
    assert.ok(text.startsWith(knownHostName('server', port)))
    assert.equal(checkHostKey(parseKnownHosts(text), 'server', port, mine).kind, 'known')
  }
})
