/** user@name[:port], there and back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHostAddress, renderHostAddress } from '../../../scripts/connection/host-address.ts'

const good = [
  ['root@server', { user: 'root', name: 'server', port: 22 }],
  ['root@server:22', { user: 'root', name: 'server', port: 22 }],
  ['a.b-c_d@10.77.1.2:2222', { user: 'a.b-c_d', name: '10.77.1.2', port: 2222 }],
  ['root@[fe80::1%eth0]:22022', { user: 'root', name: 'fe80::1%eth0', port: 22022 }],
  ['root@[::1]', { user: 'root', name: '::1', port: 22 }],
] as const

for (const [text, address] of good) {
  test(`host address: ${text}`, () => {
    assert.deepEqual(parseHostAddress(text), address)
    assert.deepEqual(parseHostAddress(renderHostAddress(address)), address)
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
    assert.throws(() => parseHostAddress(text), { name: 'Failure', code: 64 })
  })
}
