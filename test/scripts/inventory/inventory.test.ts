/** Inventories: lists of hosts, each once, each with a readable address, its groups and what it has of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { parseInventory } from '../../../scripts/inventory/inventory.ts'
import { createLineFinder, parseYaml } from '../../../scripts/spec/yaml-text.ts'

const WHERE = '/w/hosts.yaml'
const read = (text: string) => parseInventory(parseYaml(text, WHERE), WHERE, createLineFinder(text))

test('inventory: hosts in order, with what is theirs', () => {
  const text = 'hosts:\n  - address: root@a\n  - { address: "root@b:2222", config: b.yaml }\n'
  const none = { groups: [], settings: {}, secrets: {} }
  assert.deepEqual(read(text), [
    { address: { text: 'root@a', user: 'root', name: 'a', port: undefined }, config: undefined, ...none },
    { address: { text: 'root@b:2222', user: 'root', name: 'b', port: 2222 }, config: '/w/b.yaml', ...none },
  ])
})

/** Two groups and a host over them. */
const layered = (host: string, groups = '[all, europe]') => `
groups:
  all:
    config: all.yaml
    settings: { instances: 2, gateway: { callsMax: 100, logLevel: info }, firewall: { allow: [{ port: 1 }] } }
    secrets: { openai-api-key: keys/all.txt, tappass-license: l.txt }
  europe:
    settings: { gateway: { upstream: 'https://eu.example/v1' } }
    secrets: { openai-api-key: /keys/eu.txt }
hosts:
  - { address: root@a, groups: ${groups}${host} }
`

const layers: readonly (readonly [name: string, text: string, has: unknown])[] = [
  [
    'of its groups, the later one over the earlier',
    layered(''),
    {
      config: '/w/all.yaml',
      settings: {
        instances: 2,
        gateway: { callsMax: 100, logLevel: 'info', upstream: 'https://eu.example/v1' },
        firewall: { allow: [{ port: 1 }] },
      },
      secrets: { 'openai-api-key': '/keys/eu.txt', 'tappass-license': '/w/l.txt' },
    },
  ],
  [
    'its own over all groups: mappings key by key, lists and files as a whole',
    layered(`, config: c.yaml, secrets: { tappass-license: own.txt }
      , settings: { gateway: { logLevel: debug }, firewall: { allow: [] }, opa: { program: opa }, images: { redis: { archive: r.tar } } }`),
    {
      config: '/w/c.yaml',
      settings: {
        instances: 2,
        gateway: { callsMax: 100, logLevel: 'debug', upstream: 'https://eu.example/v1' },
        firewall: { allow: [] },
        opa: { program: '/w/opa' },
        images: { redis: { archive: '/w/r.tar' } },
      },
      secrets: { 'openai-api-key': '/keys/eu.txt', 'tappass-license': '/w/own.txt' },
    },
  ],
  ['nothing of a group that it is not in', layered('', '[]'), { config: undefined, settings: {}, secrets: {} }],
]

for (const [name, text, has] of layers) {
  test(`inventory: a host has what is said ${name}`, () => {
    const [host] = read(text)
    assert.deepEqual({ config: host?.config, settings: host?.settings, secrets: host?.secrets }, has)
  })
}

const bad: readonly (readonly [text: string, says: RegExp])[] = [
  ['', /is not a valid inventory/],
  ['hosts: []', /hosts: the list is empty/],
  ['hosts: [{ adress: root@a }]', /line 1: hosts\.0\.adress: unknown key; did you mean "address"\?/],
  ['hosts: [root@a]', /hosts\.0: expected Object/],
  ['hosts: [{ address: a@ }]', /is not a host address/],
  ['hosts: [{ address: root@a }, { address: root@a }]', /lists root@a twice/],
  ['host: [{ address: root@a }]', /host: unknown key; did you mean "hosts"\?/],
  ['hosts: [{ address: root@a, setings: {} }]', /unknown key; did you mean "settings"\?/],
  ['hosts: [{ address: root@a, settings: [] }]', /expected settings such as/],
  ['hosts: [{ address: root@a, config: "" }]', /expected the path of a file/],
  [
    'hosts: [{ address: root@a, settings: { instance: 3 } }]',
    /hosts\.0\.settings: line 1: instance: unknown key; did you mean "instances"\?/,
  ],
  ['hosts: [{ address: root@a, settings: { gateway: { callMax: 3 } } }]', /did you mean "callsMax"\?/],
  ['hosts: [{ address: root@a, settings: { instances: many } }]', /instances: expected number, found "many"/],
  [
    'hosts: [{ address: root@a, secrets: { openai-api-kee: k } }]',
    /line 1: hosts\.0\.secrets\.openai-api-kee: there is no such secret; did you mean "openai-api-key"\?/,
  ],
  ['hosts: [{ address: root@a, secrets: [k] }]', /hosts\.0\.secrets\.0: there is no such secret/],
  ['hosts: [{ address: root@a, secrets: { openai-api-key: "" } }]', /expected the path of a file/],
  [
    'groups: { europe: {} }\nhosts: [{ address: root@a, groups: [eurpoe] }]',
    /line 2: hosts\.0\.groups: there is no group "eurpoe"; did you mean "europe"\?/,
  ],
  ['groups: { europe: { hosts: [] } }\nhosts: [{ address: root@a }]', /groups\.europe\.hosts: unknown key/],
  ['groups: { europe: { confg: a } }\nhosts: [{ address: root@a }]', /unknown key; did you mean "config"\?/],
  [
    'groups: { europe: { settings: { domian: a.example } } }\nhosts: [{ address: root@a }]',
    /groups\.europe\.settings: line 1: domian: unknown key; did you mean "domain"\?/,
  ],
  ['groups: { "a b": {} }\nhosts: [{ address: root@a }]', /the name of a group has letters/],
  ['groups: { a: {} }\nhosts: [{ address: root@a }]', /has a group and a host of the name a/],
]

for (const [text, says] of bad) {
  test(`inventory: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => read(text),
      (error: Failure) => {
        assert.match(`${error.message} ${error.text.why}`, says)
        return error.code === 64 && error.text.next !== undefined
      },
    )
  })
}

test('inventory: what only the whole specification can judge is left to it', () => {
  const [host] = read('hosts: [{ address: root@a, settings: { tls: public, ingress: { kind: both } } }]')
  assert.deepEqual(host?.settings, { tls: 'public', ingress: { kind: 'both' } })
})
