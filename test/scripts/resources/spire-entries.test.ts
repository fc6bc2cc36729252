/** Registration entries: what the server has against what it should have, in rows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SpireEntry, type SpireState, spireFact } from '../../../scripts/facts/spire.ts'
import { spireEntries } from '../../../scripts/resources/spire-entries.ts'
import { factReaderOf, factRow, planLines } from '../known-host.ts'

const TD = 'spiffe://example.org'
const agent = { id: `${TD}/spire/agent/join_token/one`, validToMs: 9 }
const resource = spireEntries({
  hostId: `${TD}/tappass/host`,
  workloads: [
    {
      spiffeId: `${TD}/a`,
      selectors: ['unix:user:x', 'unix:gid:1'],
      x509SvidSeconds: 60,
      jwtSvidSeconds: 0,
      dnsNames: [],
    },
  ],
})

const plain = { isPlain: true, x509SvidSeconds: 0, jwtSvidSeconds: 0, dnsNames: [] }
/** The ids are digests of the SPIFFE IDs: the same on every host and in every run. */
const host: SpireEntry = {
  ...{ ...plain, id: 'tappass.d9133ec8ededecfc', spiffeId: `${TD}/tappass/host`, parentId: agent.id },
  selectors: [`spiffe_id:${agent.id}`],
}
const workload: SpireEntry = {
  ...{ ...plain, id: 'tappass.82b77c40cf8cbad9', spiffeId: `${TD}/a`, parentId: `${TD}/tappass/host` },
  ...{ selectors: ['unix:gid:1', 'unix:user:x'], x509SvidSeconds: 60 },
}
const foreign: SpireEntry = { ...workload, id: '4f1c', spiffeId: `${TD}/theirs`, isPlain: false }

const stateOf = (entries: readonly SpireEntry[], other: Partial<SpireState> = {}): SpireState => ({
  ...{ server: { entries, agents: [agent.id], bannedAgents: [] }, agent, nowMs: 0 },
  ...other,
})

const CREATE_HOST = `create the entry of ${TD}/tappass/host, because`
const CREATE = `create the entry of ${TD}/a, because`
const UPDATE = `update the entry of ${TD}/a, because`
const rows: readonly Readonly<{ name: string; state: SpireState; changes: readonly string[] }>[] = [
  { name: 'all is as it should be', state: stateOf([host, workload]), changes: [] },
  { name: 'entries of others are left alone', state: stateOf([foreign, workload, host]), changes: [] },
  { name: 'a new server', state: stateOf([]), changes: [`${CREATE_HOST} it is absent`, `${CREATE} it is absent`] },
  {
    name: 'no server yet',
    state: stateOf([], { server: undefined, agent: undefined }),
    changes: [`${CREATE_HOST} the server does not answer yet`, `${CREATE} the server does not answer yet`],
  },
  { name: 'deleted by hand', state: stateOf([host]), changes: [`${CREATE} it is absent`] },
  {
    name: 'other lifetimes',
    state: stateOf([host, { ...workload, jwtSvidSeconds: 9 }]),
    changes: [`${UPDATE} its lifetimes differ`],
  },
  {
    name: 'one selector less',
    state: stateOf([host, { ...workload, selectors: ['unix:gid:1'] }]),
    changes: [`${UPDATE} its selectors differ`],
  },
  {
    name: 'another id',
    state: stateOf([host, { ...workload, spiffeId: `${TD}/b` }]),
    changes: [`${UPDATE} it names another SPIFFE ID`],
  },
  {
    name: 'another parent',
    state: stateOf([host, { ...workload, parentId: agent.id }]),
    changes: [`${UPDATE} it has another parent`],
  },
  {
    name: 'a host name by hand',
    state: stateOf([host, { ...workload, dnsNames: ['localhost'] }]),
    changes: [`${UPDATE} its host names differ`],
  },
  {
    name: 'made an administrator',
    state: stateOf([host, { ...workload, isPlain: false }]),
    changes: [`${UPDATE} it gives more than an SVID`],
  },
  {
    name: 'one of ours that nothing wants',
    state: stateOf([host, workload, { ...workload, id: 'tappass.00', spiffeId: `${TD}/old` }]),
    changes: [`delete the entry of ${TD}/old, because nothing wants it any more`],
  },
  { name: 'somebody has made the same', state: stateOf([host, { ...workload, id: '4f1c' }]), changes: [] },
  {
    name: 'the agent was attested anew',
    state: stateOf([host, workload], { agent: { ...agent, id: `${TD}/spire/agent/join_token/two` } }),
    changes: [`update the entry of ${TD}/tappass/host, because it has another parent`],
  },
]

for (const { name, state, changes } of rows) {
  test(`SPIRE entries: ${name}`, async () => {
    assert.deepEqual(await planLines(resource, [factRow(spireFact, state)]), changes)
  })
}

test('SPIRE entries: what is written goes in on standard input, and is what was asked for', async () => {
  const [first, second] = await resource.plan(factReaderOf([factRow(spireFact, stateOf([]))]))
  const { argv, stdin } = second?.commands[0] ?? {}
  assert.deepEqual(argv?.slice(1), [
    'entry',
    'create',
    '-socketPath',
    '/run/tappass/spire-server/api.sock',
    '-data',
    '-',
  ])
  assert.deepEqual(JSON.parse(String(stdin)), {
    entries: [
      {
        ...{
          entry_id: workload.id,
          spiffe_id: `${TD}/a`,
          parent_id: `${TD}/tappass/host`,
          x509_svid_ttl: 60,
          jwt_svid_ttl: 0,
          dns_names: [],
        },
        selectors: [
          { type: 'unix', value: 'gid:1' },
          { type: 'unix', value: 'user:x' },
        ],
      },
    ],
  })
  assert.equal(first?.commands[0]?.argv.join(' ').includes('join_token'), false)
})
