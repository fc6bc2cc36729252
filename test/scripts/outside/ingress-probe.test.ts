/** Whether the ingress is reached from here: where that says something, and what is said when it is not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { SshSettings } from '../../../scripts/connection/ssh-config.ts'
import type { GetFact } from '../../../scripts/core/host.ts'
import { connectionProblem, ingressAddress, probeIngress } from '../../../scripts/outside/ingress-probe.ts'

const ports = { kind: 'caddy' as const, http: 80, https: 443, http3: true, names: [] }
const at = (name: string) => ({ address: { user: 'root', name, port: 22 } })
const jump: SshSettings = {
  hostName: '203.0.113.9',
  user: 'root',
  port: 22,
  identities: [],
  isAgentUsed: true,
  proxy: 'proxyjump bastion',
}

const rows = [
  { name: 'a public address', spec: {}, target: at('203.0.113.9'), is: '203.0.113.9:443' },
  { name: 'a public name', spec: {}, target: at('server.example.com'), is: 'server.example.com:443' },
  {
    name: 'a domain',
    spec: { domain: 'gw.example.com', tls: 'public' },
    target: at('10.0.0.5'),
    is: 'gw.example.com:443',
  },
  {
    name: 'a domain to whose ports others lead',
    spec: {
      domain: 'gw.example.com',
      tls: 'public',
      ingress: { kind: 'caddy' as const, http: 8080, https: 8443, http3: true, names: [] },
    },
    target: at('10.0.0.5'),
    is: 'gw.example.com:443',
  },
  {
    name: 'another port',
    spec: { ingress: { kind: 'caddy' as const, http: 8080, https: 8443, http3: true, names: [] } },
    target: at('203.0.113.9'),
    is: '203.0.113.9:8443',
  },
  { name: 'no ingress', spec: { ingress: 'none' }, target: at('203.0.113.9'), is: undefined },
  { name: 'a private address', spec: {}, target: at('10.0.0.5'), is: undefined },
  { name: 'a private domain', spec: { domain: 'gw.internal' }, target: at('203.0.113.9'), is: undefined },
  { name: 'this machine', spec: { domain: 'gw.example.com' }, target: { address: undefined }, is: undefined },
  { name: 'behind a jump host', spec: {}, target: { ...at('203.0.113.9'), ssh: jump }, is: undefined },
] as const

for (const { name, spec, target, is } of rows) {
  test(`ingress probe: ${name}`, () => {
    const address = ingressAddress({ ingress: ports, domain: undefined, tls: 'internal', ...spec } as never, target)
    assert.equal(address && `${address.host}:${address.port}`, is)
  })
}

const listening = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as { port: number }).port, close: () => new Promise((end) => server.close(end)) }
}

test('ingress probe: a port that answers, and one that does not any more', async () => {
  const { port, close } = await listening()
  assert.equal(await connectionProblem({ host: '127.0.0.1', port }), undefined)
  await close()
  assert.match((await connectionProblem({ host: '127.0.0.1', port })) ?? '', /ECONNREFUSED/)
})

test('ingress probe: the warning names what is in the way', async () => {
  const getFact: GetFact = async (fact) => fact.parse({ code: 0, stdout: 'ufw\n', stderr: '' })
  const spec = { ingress: ports, domain: 'no-such-name.invalid', tls: 'public' } as const
  const warning = await probeIngress(spec, at('203.0.113.9'), getFact)
  assert.match(warning?.what ?? '', /no-such-name\.invalid port 443 is not reached from here/)
  assert.match(warning?.why ?? '', /no-such-name\.invalid.*ufw is active/)
  assert.match(warning?.next ?? '', /port 443/)
})
