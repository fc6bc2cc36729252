/** What the gateway must not reach, and the two exceptions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { egressRules } from '../../../scripts/firewall/egress-rule.ts'

const rows = [
  { upstream: undefined, resolvers: [], allowed: undefined },
  { upstream: 'https://api.example.com/v1', resolvers: ['127.0.0.53', '192.0.2.1', 'fd00::53'], allowed: undefined },
  { upstream: 'http://10.0.0.5:8000/v1', resolvers: [''], allowed: undefined },
  { upstream: 'http://169.254.10.5:8000/v1', resolvers: [], allowed: '169.254.10.5' },
  { upstream: 'http://[fe80::5]:8000/v1', resolvers: [], allowed: 'fe80::5' },
  { upstream: undefined, resolvers: ['169.254.169.254', '169.254.169.254'], allowed: '169.254.169.254' },
  { upstream: undefined, resolvers: ['fe80::1%eth0', '169.254.169.253'], allowed: 'fe80::1 169.254.169.253' },
] as const

for (const { upstream, resolvers, allowed } of rows) {
  test(`egress: ${upstream ?? 'no model server'}, resolvers ${resolvers.join(' ') || 'none'}`, () => {
    const [deny, allow, ...more] = egressRules([upstream], resolvers).split('\n')
    assert.match(deny ?? '', /^IPAddressDeny=169\.254\.0\.0\/16 fe80::\/10 /)
    assert.equal(allow, allowed && `IPAddressAllow=${allowed}`)
    assert.deepEqual(more, [])
  })
}
