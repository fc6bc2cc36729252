/** When SPIRE's agent needs a new token, and where the token never is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { type SpireState, spireFact } from '../../../scripts/facts/spire.ts'
import { spireAttestation } from '../../../scripts/resources/spire-attestation.ts'
import { factReaderOf, factRow, planLines } from '../known-host.ts'

const id = 'spiffe://example.org/spire/agent/join_token/one'
const server = { entries: [], agents: [id], bannedAgents: [] }
const known: SpireState = { server, agent: { id, validToMs: 1000 }, nowMs: 0 }
const resource = spireAttestation('example.org')

const rows: readonly (readonly [name: string, state: SpireState, reason: string | undefined])[] = [
  ['known', known, undefined],
  ['known, and the server does not answer', { ...known, server: undefined }, undefined],
  ['no data', { ...known, agent: undefined }, 'it has no SVID of its own'],
  ['a bare host', { ...known, agent: undefined, server: undefined }, 'it has no SVID of its own'],
  ['expired while the host was off', { ...known, nowMs: 1000 }, 'its SVID has expired'],
  [
    'of another trust domain',
    { ...known, agent: { id: 'spiffe://other/x', validToMs: 1000 } },
    'its SVID is of another trust domain',
  ],
  ['a server from before it came', { ...known, server: { ...server, agents: [] } }, 'the server does not know it'],
]

for (const [name, state, reason] of rows) {
  test(`SPIRE attestation: ${name}`, async () => {
    const wanted = reason === undefined ? [] : [`attest the SPIRE agent with a new join token, because ${reason}`]
    assert.deepEqual(await planLines(resource, [factRow(spireFact, state)]), wanted)
  })
}

test('SPIRE attestation: one that was banned stays banned', async () => {
  const facts = factReaderOf([factRow(spireFact, { ...known, server: { ...server, bannedAgents: [id] } })])
  await assert.rejects(
    resource.plan(facts),
    (error) => error instanceof Failure && error.code === 5 && /was banned/.test(error.text.what),
  )
})
