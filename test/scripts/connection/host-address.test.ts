/** user@name[:port], there and back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completeAddress, parseTypedAddress, renderHostAddress } from '../../../scripts/connection/host-address.ts'

const parse = (text: string) => completeAddress(parseTypedAddress(text), undefined)

const good = [
  ['root@server', { user: 'root', name: 'server', port: 22 }],
  ['root@server:22', { user: 'root', name: 'server', port: 22 }],
  ['a.b-c_d@10.77.1.2:2222', { user: 'a.b-c_d', name: '10.77.1.2', port: 2222 }],
  ['root@[fe80::1%eth0]:22022', { user: 'root', name: 'fe80::1%eth0', port: 22022 }],
  ['root@[::1]', { user: 'root', name: '::1', port: 22 }],
] as const

for (const [text, address] of good) {
  test(`host address: ${text}`, () => {
    assert.deepEqual(parse(text), address)
    assert.deepEqual(parse(renderHostAddress(address)), address)
  })
}

const bad = [
  '',
  'server',
  '@server',
  'root@',
  'root@a:0',
  'root@a:65536',
  'root@a:x',
  'root@a b',
  '-o@server',
  'root@-x',
  'root@::1',
  'root@a;id',
  'root@a\n',
]

for (const text of bad) {
  test(`host address: ${JSON.stringify(text)} is none`, () => {
    assert.throws(() => parse(text), { name: 'Failure', code: 64 })
  })
}

const configured = { hostName: '10.0.0.1', user: 'ada', port: 2222 }
const completed = [
  ['web', 'ada@10.0.0.1:2222'],
  ['root@web', 'root@10.0.0.1:2222'],
  ['root@web:22', 'root@10.0.0.1'],
] as const

for (const [text, address] of completed) {
  test(`host address: ${text} with a configuration is ${address}`, () => {
    assert.equal(renderHostAddress(completeAddress(parseTypedAddress(text), configured)), address)
  })
}
