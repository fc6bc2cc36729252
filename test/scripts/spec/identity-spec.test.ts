/** The setting `identity`: rows of what a person may write, and what is said of the rest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { parseSelector } from '../../../scripts/core/workload-selector.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'

const planner = { id: 'spiffe://example.org/agents/planner', selectors: ['unix:user:planner'] }
const wrong: readonly (readonly [name: string, identity: unknown, says: RegExp])[] = [
  ['no trust domain', {}, /identity\.trustDomain/],
  [
    'a trust domain that is a URL',
    { trustDomain: 'https://example.org' },
    /identity\.trustDomain: must be a trust domain/,
  ],
  ['a trust domain in capitals', { trustDomain: 'Example.org' }, /must be a trust domain/],
  ['a trust domain with a port', { trustDomain: 'example.org:8081' }, /must be a trust domain/],
  [
    'a key that is none',
    { trustDomain: 'example.org', trustdomain: 'x' },
    /trustdomain: unknown key; did you mean "trustDomain"/,
  ],
  ['an id without a path', { id: 'spiffe://example.org' }, /workloads\.0\.id: must be a SPIFFE ID with a path/],
  ['an id that is none', { id: 'planner' }, /must be a SPIFFE ID/],
  ['an id that ends with a slash', { id: 'spiffe://example.org/a/' }, /must be a SPIFFE ID/],
  ['an id that climbs', { id: 'spiffe://example.org/a/../b' }, /must be a SPIFFE ID/],
  ['an id with a blank', { id: 'spiffe://example.org/a b' }, /must be a SPIFFE ID/],
  ['an id with a query', { id: 'spiffe://example.org/a?b' }, /must be a SPIFFE ID/],
  [
    'an id of another trust domain',
    { id: 'spiffe://example.com/a' },
    /workloads\.0\.id: spiffe:\/\/example\.com\/a is not in the trust domain example\.org/,
  ],
  ['an id of the toolkit', { id: 'spiffe://example.org/tappass/gateway' }, /ids below \/tappass are the toolkit's own/],
  ['an id of SPIRE', { id: 'spiffe://example.org/spire/server' }, /ids below \/spire are the toolkit's own/],
  ['no selectors', { selectors: [] }, /workloads\.0\.selectors/],
  ['a selector of no kind', { selectors: ['planner'] }, /selectors\.0: must be a selector such as unix:user:NAME/],
  ['a selector that the agent never finds', { selectors: ['unix:path:/usr/bin/planner'] }, /must be a selector/],
  ['a selector of Kubernetes', { selectors: ['k8s:ns:default'] }, /must be a selector/],
  ['a uid that is none', { selectors: ['unix:uid:root'] }, /must be a selector/],
  ['a unit without its kind', { selectors: ['systemd:id:planner'] }, /must be a selector/],
  ['a selector twice', { selectors: ['unix:uid:1', 'unix:uid:1'] }, /selectors: unix:uid:1 is there twice/],
  ['an SVID of a minute', { x509SvidMinutes: 1 }, /x509SvidMinutes/],
  ['an SVID of half a minute', { jwtSvidMinutes: 0.5 }, /jwtSvidMinutes/],
]

const specWith = (identity: unknown) => () => parseHostSpec({ identity }, 'host.yaml')
const isWorkload = (part: unknown) =>
  ['id', 'selectors'].some((key) => Object.hasOwn(part as object, key)) ||
  (Object.keys(part as object).every((key) => key.endsWith('SvidMinutes')) && Object.keys(part as object).length > 0)

for (const [name, part, says] of wrong) {
  test(`identity: ${name} is refused`, () => {
    const identity = isWorkload(part)
      ? { trustDomain: 'example.org', workloads: [{ ...planner, ...(part as object) }] }
      : part
    assert.throws(
      specWith(identity),
      (error) => error instanceof Failure && error.code === 64 && says.test(error.text.why ?? ''),
    )
  })
}

const between: readonly (readonly [name: string, identity: Readonly<Record<string, unknown>>, says: RegExp])[] = [
  [
    'two workloads of one id',
    { workloads: [planner, { ...planner, selectors: ['unix:uid:7'] }] },
    /workloads\.1\.id: \S+ is workload 1 already/,
  ],
  [
    'an authority that ends before its agents',
    { agentDays: 7, caDays: 41 },
    /identity\.caDays: must be 6 times agentDays at least \(42\), found 41/,
  ],
  ['an agent for a month', { agentDays: 30 }, /agentDays/],
  ['the port of the gateway', { serverPort: 9620 }, /serverPort: port 9620 is that of the gateway/],
  ['the port of the gateway for SPIFFE', { serverPort: 9621 }, /serverPort: port 9621 is that of the gateway/],
]

for (const [name, identity, says] of between) {
  test(`identity: ${name} is refused`, () => {
    assert.throws(
      specWith({ trustDomain: 'example.org', ...identity }),
      (error) => error instanceof Failure && says.test(error.text.why ?? ''),
    )
  })
}

test('identity: a trust domain is enough', () => {
  assert.deepEqual(specWith({ trustDomain: 'example.org' })().identity, {
    ...{ trustDomain: 'example.org', workloads: [], x509SvidMinutes: 60, jwtSvidMinutes: 5 },
    ...{ agentDays: 7, caDays: 90, serverPort: 9622 },
  })
  assert.equal(parseHostSpec({}, 'host.yaml').identity, undefined)
})

const selectors: readonly (readonly [text: string, found: unknown])[] = [
  ['unix:user:planner', { type: 'unix', value: 'user:planner' }],
  ['unix:supplementary_gid:7', { type: 'unix', value: 'supplementary_gid:7' }],
  ['systemd:id:planner@1.service', { type: 'systemd', value: 'id:planner@1.service' }],
  [
    'systemd:fragment_path:/etc/systemd/system/a.service',
    { type: 'systemd', value: 'fragment_path:/etc/systemd/system/a.service' },
  ],
  ['docker:label:com.example.name:planner', { type: 'docker', value: 'label:com.example.name:planner' }],
  ['docker:env:ROLE=planner of trips', { type: 'docker', value: 'env:ROLE=planner of trips' }],
  ['docker:image_id:planner:1.2', { type: 'docker', value: 'image_id:planner:1.2' }],
  ['unix:user:a"b', undefined],
  ['unix:user:', undefined],
  ['unix:__proto__:1', undefined],
  ['constructor:name:x', undefined],
  ['unix:uid:1\n', undefined],
]

for (const [text, found] of selectors) {
  test(`selector: ${JSON.stringify(text)}`, () => assert.deepEqual(parseSelector(text), found))
}
