/** Host specifications: defaults, and every problem with its line, its key and the nearest key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { hasOpa } from '../../../scripts/spec/policy-spec.ts'
import { createLineFinder, parseYaml } from '../../../scripts/spec/yaml-text.ts'

const read = (text: string) => parseHostSpec(parseYaml(text, 'host.yaml'), 'host.yaml', createLineFinder(text))

const TUNNEL = '6ff42ae2-765d-4adf-8112-31c55c1551ef'
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
  assert.deepEqual(spec.backup, { schedule: '*-*-* 03:17:00 UTC', keepDaily: 7, keepWeekly: 4, pointInTimeDays: 2 })
})

test('a database elsewhere has its own limit of connections', () => {
  const { storage } = parseHostSpec({ instances: 32, storage: { database: 'external' } }, 'the test')
  assert.deepEqual(storage, { database: 'external', redis: 'container' })
})

for (const [text, ingress] of [
  ['', { kind: 'caddy', http: 80, https: 443, http3: true, names: [] }],
  ['ingress: none', 'none'],
  ['ingress: { https: 8443 }', { kind: 'caddy', http: 80, https: 8443, http3: true, names: [] }],
  [
    'ingress: { names: [10.0.0.1, "fd00::1", gw.lan] }',
    { kind: 'caddy', http: 80, https: 443, http3: true, names: ['10.0.0.1', 'fd00::1', 'gw.lan'] },
  ],
  ['ingress: { kind: tunnel }', { kind: 'tunnel', http: 80, https: 443, http3: true, names: [] }],
  [
    `domain: gw.example.com\ningress: { kind: both, live: tunnel, tunnel: { id: ${TUNNEL} } }`,
    { kind: 'both', live: 'tunnel', tunnel: { id: TUNNEL }, http: 80, https: 443, http3: true, names: [] },
  ],
  [
    `ingress: { kind: tunnel, tunnel: { id: ${TUNNEL}, routes: [{ hostname: a.example.com }] } }`,
    {
      ...{ kind: 'tunnel', http: 80, https: 443, http3: true, names: [] },
      tunnel: { id: TUNNEL, routes: [{ hostname: 'a.example.com', service: 'gateway' }] },
    },
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
  { text: 'ingress: { kind: nginx }', says: /ingress\.kind: expected .*"caddy".*"tunnel".*"both".*, found "nginx"/ },
  { text: 'ingress: { kind: both, live: none }', says: /ingress\.live: expected/ },
  { text: 'ingress: { live: tunnel }', says: /ingress\.live: .*needs kind: both/ },
  { text: `ingress: { tunnel: { id: ${TUNNEL} } }`, says: /ingress\.tunnel: needs kind: tunnel/ },
  { text: 'ingress: { kind: tunnel, tunnel: { id: mine } }', says: /ingress\.tunnel\.id: must be the UUID/ },
  { text: `ingress: { kind: tunnel, tunnel: { id: ${TUNNEL} } }`, says: /ingress\.tunnel: needs routes, or a domain/ },
  {
    text: 'ingress: { kind: tunnel, tunnel: { routes: [{ hostname: a.example.com }] } }',
    says: /ingress\.tunnel\.routes: without tunnel\.id the routes are kept at Cloudflare/,
  },
  ...[
    ['hostname: "a.example.com:80"', /routes\.0\.hostname: must be a host name/],
    ['hostname: "a.*.example.com"', /routes\.0\.hostname/],
    ['hostname: a.example.com, service: "http://u:p@h"', /routes\.0\.service: must be "gateway" or http/],
    ['hostname: a.example.com, service: "http://h:1/path"', /routes\.0\.service/],
    ['hostname: a.example.com, path: "a b"', /routes\.0\.path/],
    ['hostname: a.example.com, url: x', /routes\.0\.url: unknown key/],
  ].map(([route, says]) => ({
    text: `ingress: { kind: tunnel, tunnel: { id: ${TUNNEL}, routes: [{ ${route} }] } }`,
    says: says as RegExp,
  })),
  { text: 'acme: { profile: shortlived }', says: /acme needs tls: public/ },
  { text: 'domain: a.example.com\nacme: { profile: "short lived" }', says: /acme\.profile: must be the name/ },
  { text: 'domain: a.example.com\nacme: { directory: ftp://x }', says: /acme\.directory: must be an http/ },
  { text: 'tls: own', says: /tls: own needs the domain/ },
  { text: 'xyzzy: 1', says: /xyzzy: unknown key$/m },
  { text: 'instances: many', says: /instances: expected number, found "many"/ },
  { text: 'instances: 0', says: /instances: expected >=1, found 0/ },
  { text: 'instances: 1.5', says: /instances: / },
  { text: 'domain: "-"', says: /domain: must be a domain name/ },
  { text: 'deployUser: Root', says: /deployUser: must be a Linux account name/ },
  { text: 'gateway: { upstream: "ftp://x" }', says: /gateway\.upstream: must be an http\(s\) URL/ },
  { text: 'drift: { check: weekly }', says: /drift\.check/ },
  { text: 'drift: { check: off, repair: true }', says: /drift\.repair: needs a look: drift\.check is off/ },
  { text: 'drift: { repair: "yes" }', says: /drift\.repair: expected boolean/ },
  { text: 'drift: { reapir: true }', says: /did you mean "repair"/ },
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
  {
    text: 'storage: { database: remote }',
    says: /storage\.database: must be container or external; an address is a secret: \S+$/m,
  },
  { text: 'storage: { redis: false }', says: /storage\.redis: must be container or external/ },
  { text: 'storage: { postgres: external }', says: /storage\.postgres: unknown key/ },
  {
    text: 'storage: { database: "postgresql://u@h/d" }',
    says: /storage\.database: must be container or external; an address is a secret: \S+$/m,
  },
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

for (const [text, is] of [
  ['', true],
  ['policy: { engine: embedded }', false],
  ['policy: { engine: opa }', true],
  ['opa: { program: opa }', true],
  ['opa: { program: opa }\npolicy: { engine: embedded }', false],
] as const) {
  test(`host spec: an OPA server with ${JSON.stringify(text)}: ${is}`, () => assert.equal(hasOpa(read(text)), is))
}

for (const [text, problem] of [
  ['policy: { engine: cedar }', /policy\.engine/],
  ['policy: { engin: opa }', /did you mean "engine"/],
  ['opa: { program: "" }', /opa\.program/],
  ['opa: { archive: opa.tar.gz }', /unknown key/],
] as const) {
  test(`host spec: refused: ${text}`, () =>
    assert.throws(
      () => read(text),
      (error: Failure) => problem.test(String(error.text.why)),
    ))
}
