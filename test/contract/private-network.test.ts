/** Which hosts are taken for ones on this machine or in its own network. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPrivateHost } from '../../contract/private-network.ts'

const PRIVATE =
  `localhost api.localhost 127.0.0.1 127.9.9.9 0x7f.1 [::1] 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255
  192.168.1.1 169.254.169.254 [fe80::1] [febf::1] [fc00::1] [fdff::1] [::ffff:10.0.0.1] models models. MODELS gpu.internal
  gpu.local gpu.rack.internal gpu.internal. gpu.home.arpa 100.64.0.1 100.127.255.255`.split(/\s+/)
const PUBLIC =
  `api.openai.com 8.8.8.8 100.63.0.1 100.128.0.1 home.arpa.example.com 11.0.0.1 172.15.0.1 172.32.0.1 192.169.0.1 169.253.0.1 126.0.0.1 128.0.0.1 [2001:db8::1]
  [fec0::1] [fe00::1] [fbff::1] [::ffff:8.8.8.8] internal.example.com gpu.internals mylocal.example 10.example.com`.split(
    /\s+/,
  )

for (const [hosts, isPrivate] of [
  [PRIVATE, true],
  [PUBLIC, false],
] as const) {
  for (const host of hosts) {
    test(`${host} is ${isPrivate ? 'private' : 'public'}`, () => {
      assert.equal(isPrivateHost(new URL(`http://${host}/v1`).hostname), isPrivate)
    })
  }
}
