/** Host specifications: defaults, and every problem with its line, its key and the nearest key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { createLineFinder, parseYaml } from '../../../scripts/spec/yaml-text.ts'

const read = (text: string) => parseHostSpec(parseYaml(text, 'host.yaml'), 'host.yaml', createLineFinder(text))

test('host spec: nothing written is every default', () => {
  const spec = read('')
  assert.deepEqual([spec.deployUser, spec.instances, spec.tls, spec.domain], ['gebruiker', 2, 'internal', undefined])
  assert.deepEqual(spec.docker, { source: 'vendor' })
  assert.deepEqual(spec.redis, { maxMemoryMegabytes: 64 })
  assert.deepEqual(spec.backup, { schedule: '*-*-* 03:17:00 UTC', keepDaily: 7, keepWeekly: 4 })
})

const decided = [
  ['domain: gateway.example', 'public'],
  ['domain: gateway.example\ntls: internal', 'internal'],
  ['tls: internal', 'internal'],
] as const

for (const [text, tls] of decided) {
  test(`host spec: ${JSON.stringify(text)} means ${tls} TLS`, () => assert.equal(read(text).tls, tls))
}

const faults: readonly Readonly<{ text: string; says: RegExp }>[] = [
  { text: 'gatway: {}', says: /gatway: unknown key; did you mean "gateway"\?/ },
  { text: 'gateway: { callMax: 1 }', says: /gateway\.callMax: unknown key; did you mean "callsMax"\?/ },
  { text: 'images: { postgres: { arhive: x } }', says: /images\.postgres\.arhive: .*"archive"/ },
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
