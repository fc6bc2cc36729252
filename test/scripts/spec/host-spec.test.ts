/** Host specifications: defaults, and every problem with its line, its key and the nearest key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { createLineFinder, parseYaml } from '../../../scripts/spec/yaml-text.ts'

const read = (text: string) => parseHostSpec(parseYaml(text, 'host.yaml'), 'host.yaml', createLineFinder(text))

const DIGEST = `sha256:${'0a'.repeat(32)}`

test('host spec: nothing written is every default', () => {
  const spec = read('')
  assert.deepEqual(
    [spec.deployUser.name, spec.instances, spec.tls, spec.domain],
    ['gebruiker', 2, 'internal', undefined],
  )
  assert.deepEqual(spec.docker, { source: 'vendor', adopt: false })
  // Sizes follow the host's memory.
  assert.deepEqual([spec.redis, spec.postgres], [{}, { maxConnections: 100 }])
  assert.deepEqual(spec.backup, { schedule: '*-*-* 03:17:00 UTC', keepDaily: 7, keepWeekly: 4 })
})

for (const [text, ingress] of [
  ['', { http: 80, https: 443, names: [] }],
  ['ingress: none', 'none'],
  ['ingress: { https: 8443 }', { http: 80, https: 8443, names: [] }],
  [
    'ingress: { names: [10.0.0.1, "fd00::1", gw.lan] }',
    { http: 80, https: 443, names: ['10.0.0.1', 'fd00::1', 'gw.lan'] },
  ],
  ['ingress: none\ndomain: gateway.example', 'none'],
] as const) {
  test(`host spec: the ingress of ${JSON.stringify(text)}`, () => assert.deepEqual(read(text).ingress, ingress))
}

for (const [text, site] of [
  ['', {}],
  ['site: none', 'none'],
  ['site: { wheels: w.tar.gz }', { wheels: 'w.tar.gz' }],
  ['ingress: none', {}],
] as const) {
  test(`host spec: the site of ${JSON.stringify(text)}`, () => assert.deepEqual(read(text).site, site))
}

const decided = [
  ['domain: gateway.example', 'public'],
  ['domain: gateway.example\ntls: internal', 'internal'],
  ['tls: internal', 'internal'],
] as const

for (const [text, tls] of decided) {
  test(`host spec: ${JSON.stringify(text)} means ${tls} TLS`, () => assert.equal(read(text).tls, tls))
}

for (const text of [
  'gateway: { upstream: "https://h/v1?user=a@b" }',
  'gateway: { upstream: "https://h/@scope" }',
  'instances: 9',
  'deployUser: tappass-ops',
  'postgres: { memoryMegabytes: 512 }',
  ...[
    'postgres',
    'docker.io/library/postgres:16.15-alpine',
    'registry.example.com:5000/team/db__pg/16.x:v1_2.3-a',
    '"[fd00::1]:5000/postgres"',
    'localhost/postgres',
    '10.0.0.7:443/a-b/c',
  ].map((name) => `images: { postgres: { reference: ${name.replace(/"?$/, `@${DIGEST}$&`)} } }`),
]) {
  test(`host spec: ${text} is accepted`, () => assert.doesNotThrow(() => read(text)))
}

const faults: readonly Readonly<{ text: string; says: RegExp }>[] = [
  { text: 'gatway: {}', says: /gatway: unknown key; did you mean "gateway"\?/ },
  { text: 'gateway: { callMax: 1 }', says: /gateway\.callMax: unknown key; did you mean "callsMax"\?/ },
  { text: 'images: { postgres: { arhive: x } }', says: /images\.postgres\.arhive: .*"archive"/ },
  ...[
    'postgres:16',
    'registry.example.com/postgres',
    `postgres@${DIGEST.slice(0, -1)}`,
    `postgres@${DIGEST.toUpperCase()}`,
    `postgres@sha512:${'a'.repeat(64)}`,
    `https://registry.example.com/postgres@${DIGEST}`,
    `user:pass@registry.example.com/postgres@${DIGEST}`,
    `registry.example.com/Postgres@${DIGEST}`,
    `registry.example.com//postgres@${DIGEST}`,
    `-v@${DIGEST}`,
    `postgres:@${DIGEST}`,
    `postgres:1 --privileged@${DIGEST}`,
    `postgres@${DIGEST}\\nx`,
    '',
  ].map((reference) => ({
    text: `images: { redis: { reference: "${reference}" } }`,
    says: /images\.redis\.reference: must be an image by its digest/,
  })),
  {
    text: `images:\n  redis:\n    archive: r.tar\n    reference: redis@${DIGEST}`,
    says: /line 4: images\.redis\.reference: is not used beside archive/,
  },
  { text: 'xyzzy: 1', says: /xyzzy: unknown key$/m },
  { text: 'instances: many', says: /instances: expected number, found "many"/ },
  { text: 'instances: 0', says: /instances: expected >=1, found 0/ },
  { text: 'instances: 1.5', says: /instances: / },
  { text: 'domain: "-"', says: /domain: must be a domain name/ },
  { text: 'deployUser: Root', says: /deployUser: must be a Linux account name/ },
  { text: 'gateway: { upstream: "ftp://x" }', says: /gateway\.upstream: must be an http\(s\) URL/ },
  { text: 'backup: { schedule: "daily; reboot" }', says: /backup\.schedule: must be a systemd calendar expression/ },
  { text: 'backup: { schedule: "daily\\nExecStart=/bin/x" }', says: /backup\.schedule/ },
  { text: 'docker: { source: snap }', says: /docker\.source: / },
  ...['root', 'tappass', 'tappass-caddy', 'postgres', 'www-data', 'systemd-network'].map((name) => ({
    text: `deployUser: ${name}`,
    says: /deployUser: must be the account of a person or a pipeline/,
  })),
  ...['https://user@h/v1', 'http://user:pass@h:8080', 'https://:pass@h', 'https://a%40b:c@h/@'].map((url) => ({
    text: `gateway: { upstream: "${url}" }`,
    says: /gateway\.upstream: must not hold a user or a password/,
  })),
  { text: 'downloads: { caddy: "https://u:p@mirror/caddy" }', says: /downloads\.caddy: must not hold a user/ },
  { text: 'instances: 32', says: /postgres\.maxConnections: 32 instances need at least 330, found 100/ },
  {
    text: 'instances: 3\npostgres:\n  maxConnections: 39',
    says: /line 3: postgres\.maxConnections: 3 instances need at least 40, found 39/,
  },
  {
    text: 'postgres: { memoryMegabytes: 128, sharedBuffersMegabytes: 4096 }',
    says: /postgres\.sharedBuffersMegabytes: at most half of postgres\.memoryMegabytes \(64\), found 4096/,
  },
  {
    text: 'postgres: { memoryMegabytes: 256, sharedBuffersMegabytes: 129 }',
    says: /at most half of postgres\.memoryMegabytes \(128\), found 129/,
  },
  { text: 'ingress: off', says: /ingress: expected "none", found "off"/ },
  { text: 'ingress: { port: 8443 }', says: /ingress\.port: unknown key/ },
  { text: 'ingress: { htps: 8443 }', says: /ingress\.htps: unknown key; did you mean "https"\?/ },
  { text: 'ingress: { http: 0 }', says: /ingress\.http: expected >=1, found 0/ },
  {
    text: 'ingress:\n  http: 8443\n  https: 8443',
    says: /line 3: ingress\.https: must be another port than ingress\.http/,
  },
  { text: 'ingress: { https: 9620 }', says: /ingress: ?port 9620 is that of the gateway itself/ },
  { text: 'ingress: { names: ["a b"] }', says: /ingress\.names\.0: must be a host name or an IP address/ },
  { text: 'domain: gw.example\ningress: { names: [gw2.example] }', says: /ingress\.names: with a domain it answers/ },
  { text: 'tls: public', says: /tls: public needs a domain/ },
  { text: '- a list', says: /line 1: expected settings such as "domain: .*", found a list/ },
  { text: 'instances: 0\ndomain: "-"\nxyzzy: 1', says: /line 2: domain[\s\S]*line 1: instances[\s\S]*line 3: xyzzy/ },
  { text: 'a: [', says: /is not valid YAML/ },
  { text: 'instances: 1\ninstances: 2', says: /unique/ },
]

for (const { text, says } of faults) {
  test(`host spec: ${JSON.stringify(text)} is a usage failure that names it`, () => {
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(error instanceof Failure)
        assert.equal(error.code, 64)
        assert.match(`${error.text.what} ${error.text.why}`, says)
        return true
      },
    )
  })
}
