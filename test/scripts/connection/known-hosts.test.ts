/** known_hosts as ssh(1) reads it: rows of files, hosts and keys. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import {
  judgeHostKey,
  keyType,
  knownHostName,
  knownKeyKinds,
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
  verdict: string
  line?: number
}>[] = [
  { name: 'known', file: line('server', mine), verdict: 'known' },
  { name: 'among other lines', file: `# a comment\n\n   \ndamaged\n${line('server', mine)}\n`, verdict: 'known' },
  { name: 'one of several names', file: line('a,server,b', mine), verdict: 'known' },
  { name: 'names are not case sensitive', file: line('SERVER', mine), host: 'Server', verdict: 'known' },
  { name: 'windows line ends', file: `${line('server', mine)}\r\n`, verdict: 'known' },
  { name: 'empty', file: '', verdict: 'unknown' },
  { name: 'another host', file: line('other', mine), verdict: 'unknown' },
  { name: 'a name that only begins alike', file: line('serv', mine), verdict: 'unknown' },
  { name: 'a dot is a dot', file: line('s.rver', mine), verdict: 'unknown' },
  { name: 'changed', file: line('server', other), verdict: 'changed', line: 1 },
  { name: 'one of two keys of a type', file: `${line('server', other)}\n${line('server', mine)}`, verdict: 'known' },
  { name: 'another type only', file: line('server', rsa), verdict: 'other-types', line: 1 },
  { name: 'several types', file: `${line('server', rsa)}\n${line('server', mine)}`, verdict: 'known' },
  { name: 'another port is another host', file: line('server', mine), port: 2222, verdict: 'unknown' },
  { name: 'a port', file: line('[server]:2222', mine), port: 2222, verdict: 'known' },
  { name: 'an address of the sixth version', file: line('fe80::1', mine), host: 'fe80::1', verdict: 'known' },
  { name: 'the same with a port', file: line('[fe80::1]:22022', mine), host: 'fe80::1', port: 22022, verdict: 'known' },
  { name: 'hashed', file: line(hashed('server'), mine), verdict: 'known' },
  { name: 'hashed with a port', file: line(hashed('[server]:2222'), mine), port: 2222, verdict: 'known' },
  { name: 'hashed, changed', file: line(hashed('server'), other), verdict: 'changed', line: 1 },
  { name: 'the hash of another', file: line(hashed('other'), mine), verdict: 'unknown' },
  { name: 'a damaged hash', file: line('|1|c2FsdA==|', mine), verdict: 'unknown' },
  { name: 'wildcards', file: line('10.77.*.?', mine), host: '10.77.12.2', verdict: 'known' },
  {
    name: 'a wildcard with an exception',
    file: line('*.example,!bad.example', mine),
    host: 'bad.example',
    verdict: 'unknown',
  },
  {
    name: 'the exception is for that one only',
    file: line('*.example,!bad.example', mine),
    host: 'good.example',
    verdict: 'known',
  },
  { name: 'revoked', file: `${line('server', mine)}\n${line('*', mine, '@revoked ')}`, verdict: 'revoked', line: 2 },
  {
    name: 'another key is revoked',
    file: `${line('*', other, '@revoked ')}\n${line('server', mine)}`,
    verdict: 'known',
  },
  { name: 'an authority alone', file: line('server', other, '@cert-authority '), verdict: 'authority', line: 1 },
  {
    name: 'an authority beside the key',
    file: `${line('*', other, '@cert-authority ')}\n${line('server', mine)}`,
    verdict: 'known',
  },
  { name: 'an unknown marker', file: line('server', mine, '@new '), verdict: 'unknown' },
]

for (const { name, file, host = 'server', port = 22, key = mine, verdict, line: at } of rows) {
  test(`known_hosts: ${name}`, () => {
    const judged = judgeHostKey(parseKnownHosts(file), host, port, key)
    assert.equal(judged.verdict, verdict)
    assert.equal('line' in judged ? judged.line : undefined, at)
  })
}

test('known_hosts: the kinds of key to ask for, without those that speak for others', () => {
  const file = [
    line('server', rsa),
    line('server', other, '@cert-authority '),
    line('server', mine),
    line('x', other),
  ].join('\n')
  assert.deepEqual(knownKeyKinds(parseKnownHosts(file), 'server', 22), ['ssh-rsa', 'ssh-ed25519'])
})

test('known_hosts: what is added is known afterwards', () => {
  for (const port of [22, 2222]) {
    const text = renderKnownHost('Server', port, mine)
    assert.ok(text.startsWith(knownHostName('server', port)))
    assert.equal(judgeHostKey(parseKnownHosts(text), 'server', port, mine).verdict, 'known')
  }
})
