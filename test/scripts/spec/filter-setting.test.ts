/** What a server needs of others, of its settings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outboundList } from '../../../scripts/spec/filter-setting.ts'
import { specOf, text } from '../roles/blank-host.ts'

const GITHUB = ['github.com', 'objects.githubusercontent.com', 'release-assets.githubusercontent.com']
const HUB = [
  ...['auth.docker.io', 'production.cloudflare.docker.com', 'production.cloudfront.docker.com', 'registry-1.docker.io'],
]
const PYPI = ['files.pythonhosted.org', 'pypi.org']
const VENDORS = ['download.docker.com', 'nodejs.org', ...GITHUB, ...HUB, ...PYPI]
const https = (names: readonly string[]): readonly string[] => names.map((name) => `tcp 443 ${name}`)
const EDGE = ['tcp', 'udp'].flatMap((protocol) =>
  [1, 2].map((region) => `${protocol} 7844 region${region}.v2.argotunnel.com`),
)

const bare = {
  docker: { source: 'distribution' },
  site: 'none',
  ingress: 'none',
  storage: { database: 'external', redis: 'external' },
  downloads: { node: 'http://10.0.0.7:8081/node', opa: 'http://10.0.0.7:8081/opa' },
}
const rows: readonly (readonly [
  name: string,
  written: Record<string, unknown>,
  list: readonly string[] | undefined,
])[] = [
  ['nothing is written: nothing is closed', {}, undefined],
  ['nothing of it is written', { firewall: {} }, undefined],
  ['no packet filter', { firewall: 'none' }, undefined],
  ['the defaults', { firewall: { outbound: [] } }, https(['api.openai.com', ...VENDORS])],
  [
    'a domain: the authorities',
    { domain: 'gateway.example.com', firewall: { outbound: [] } },
    https([...['api.openai.com', 'acme-v02.api.letsencrypt.org', 'acme.zerossl.com', 'api.zerossl.com'], ...VENDORS]),
  ],
  [
    'one authority',
    {
      domain: 'gateway.example.com',
      acme: { directory: 'https://ca.example.com:14000/dir' },
      firewall: { outbound: [] },
    },
    [...https(['api.openai.com', ...VENDORS]), 'tcp 14000 ca.example.com'],
  ],
  [
    'a tunnel',
    { domain: 'gateway.example.com', ingress: { kind: 'tunnel' }, firewall: { outbound: [] } },
    [...https(['api.openai.com', ...VENDORS]), ...EDGE],
  ],
  [
    'everything by a proxy but the model server',
    {
      proxy: { https: 'http://proxy.example.com:3128', except: ['models.internal'] },
      gateway: { upstream: 'http://models.internal:8000/v1' },
      firewall: { outbound: [] },
    },
    ['tcp 3128 proxy.example.com', 'tcp 8000 models.internal'],
  ],
  [
    'what is written beside it: names, addresses, in capitals, twice; networks have rules',
    {
      ...bare,
      gateway: { upstream: 'https://[fd00::7]:8443/v1' },
      firewall: {
        outbound: [
          { port: 5432, to: ['DB.example.com', '10.0.0.0/8', '192.0.2.7'] },
          { port: 5432, to: ['db.example.com'] },
          { port: 53, protocol: 'udp', to: ['fd00::1'] },
        ],
      },
    },
    [...['tcp 5432 192.0.2.7', 'tcp 5432 db.example.com', 'tcp 8081 10.0.0.7', 'tcp 8443 fd00::7', 'udp 53 fd00::1']],
  ],
]

for (const [name, written, list] of rows) {
  test(`outbound: ${name}`, () => {
    assert.deepEqual(outboundList(specOf(written), text), list?.toSorted())
  })
}
