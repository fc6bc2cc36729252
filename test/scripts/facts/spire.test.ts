/** What SPIRE's programs print, as they printed it (1.15.3), and what is read of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spireFact } from '../../../scripts/facts/spire.ts'

const TD = 'example.org'
const idOf = (path: string) => ({ path, trust_domain: TD })
const entry = {
  ...{
    admin: false,
    created_at: '1795736110',
    dns_names: ['localhost'],
    downstream: false,
    expires_at: '0',
    federates_with: [],
    hint: '',
  },
  ...{ id: 'tappass.def', jwt_svid_ttl: 60, parent_id: idOf('/tappass/host'), revision_number: '0' },
  selectors: [
    { type: 'unix', value: 'user:b' },
    { type: 'unix', value: 'gid:1' },
  ],
  ...{ spiffe_id: idOf('/tappass/gateway'), store_svid: false, x509_svid_ttl: 0 },
}
const agentOf = (name: string, banned: boolean) => ({
  ...{ agent_version: '1.15.3', attestation_type: 'join_token', banned, can_reattest: false, selectors: [] },
  ...{ id: idOf(`/spire/agent/join_token/${name}`), x509svid_expires_at: '1796945691', x509svid_serial_number: '1' },
})

/** Made by SPIRE's server for a trust domain that is gone: a certificate, public by its nature. */
const CERTIFICATE =
  'MIICRjCCAe2gAwIBAgIQDZ1Atw9e2UyefnKves3imzAKBggqhkjOPQQDAjBOMQswCQYDVQQGEwJVUzEPMA0GA1UEChMGU1BJRkZFMS4wLAYDVQQFEyUxNzQ2ODkzNzM5MTgwMDk0NzIxNjEwMTEzMTk4MTE0NTc0NDkxMB4XDTI2MTEyNjIzMzQ0MVoXDTI2MTIxMDIzMzQ1MVowHTELMAkGA1UEBhMCVVMxDjAMBgNVBAoTBVNQSVJFMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEA/tF1b2WQ1ND38Xiy6wb4LtyWhh4K9WemlbvR+dYeanXR3QByFcCwJDxGoc7QbC/MtOGo0F6NiXUGY5cFLMv4KOB3TCB2jAOBgNVHQ8BAf8EBAMCA6gwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMAwGA1UdEwEB/wQCMAAwHQYDVR0OBBYEFO2/q1ltl5k27vD3KXjxxpiISP4mMB8GA1UdIwQYMBaAFDVv1pXsNBjLuE4hBOBCq3Tc79EuMFsGA1UdEQRUMFKGUHNwaWZmZTovL2V4YW1wbGUub3JnL3NwaXJlL2FnZW50L2pvaW5fdG9rZW4vYmI1ZjE1ZjctMDNkMy00YzZjLWFiNzAtMmJmM2M5ZmVlMzE2MAoGCCqGSM49BAMCA0cAMEQCIAcoaE2xGlls5vrqvHUinm/5SnUV7yCYo0Aj5RUFzW/EAiBL7QB+5rTlZtIlGD79pdPgJ11WW21uWVbL+wLrL+Iv1w=='

const said = (entries: unknown, agents: unknown, data: unknown): string =>
  ['1795736110123\n', entries, agents, data]
    .map((part) => (typeof part === 'string' ? part : `${JSON.stringify(part)}\n`))
    .join('=== tappass\n')
const parse = (stdout: string) => spireFact.parse({ code: 0, stdout, stderr: '' })

test('SPIRE: entries, agents, and who the agent is', () => {
  const agents = { agents: [agentOf('one', false), agentOf('two', true)], next_page_token: '' }
  const pem = `-----BEGIN CERTIFICATE-----\n${CERTIFICATE}\n-----END CERTIFICATE-----\n`
  const data = { svid: [Buffer.from(pem).toString('base64')], bundle: [], reattestable: false }
  assert.deepEqual(parse(said({ entries: [entry], next_page_token: '' }, agents, data)), {
    nowMs: 1_795_736_110_123,
    server: {
      entries: [
        {
          ...{
            id: 'tappass.def',
            spiffeId: 'spiffe://example.org/tappass/gateway',
            parentId: 'spiffe://example.org/tappass/host',
          },
          ...{
            selectors: ['unix:gid:1', 'unix:user:b'],
            x509SvidSeconds: 0,
            jwtSvidSeconds: 60,
            dnsNames: ['localhost'],
            isPlain: true,
          },
        },
      ],
      agents: ['one', 'two'].map((name) => `spiffe://example.org/spire/agent/join_token/${name}`),
      bannedAgents: ['spiffe://example.org/spire/agent/join_token/two'],
    },
    agent: {
      id: 'spiffe://example.org/spire/agent/join_token/bb5f15f7-03d3-4c6c-ab70-2bf3c9fee316',
      validToMs: Date.parse('Dec 10 23:34:51 2026 GMT'),
    },
  })
})

test('SPIRE: nothing is there, or half of it', () => {
  assert.deepEqual(parse(''), { nowMs: 0, server: undefined, agent: undefined })
  assert.deepEqual(parse(said('', '', '')), { nowMs: 1_795_736_110_123, server: undefined, agent: undefined })
  assert.equal(parse(said({ entries: [] }, '', '')).server, undefined)
  for (const data of [{}, { svid: [] }, { svid: ['AAAA'] }, '{"svid": ['])
    assert.equal(parse(said('', '', data)).agent, undefined)
})

for (const more of [
  { admin: true },
  { downstream: true },
  { store_svid: true },
  { expires_at: '1795736110' },
  { federates_with: ['b'] },
  { hint: 'c' },
]) {
  test(`SPIRE: an entry with ${Object.keys(more)[0]} gives more than an SVID`, () => {
    const { server } = parse(said({ entries: [{ ...entry, ...more }] }, { agents: [] }, ''))
    assert.deepEqual(
      server?.entries.map(({ isPlain }) => isPlain),
      [false],
    )
  })
}
