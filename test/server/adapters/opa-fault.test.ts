/** An OPA that is wrong in some way, as a stand-in: nothing it says passes, and what is wrong is said by its name. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { requestWith } from '../../../bench/policy-row.ts'
import { createOpaPolicy, type OpaError } from '../../../server/adapters/opa-server.ts'
import { systemClock } from '../../../server/adapters/system.ts'
import { sha256 } from '../../../server/core/hash.ts'
import { createReadiness, probePolicy } from '../../../server/observability/readiness.ts'

const REVISION = 'a'.repeat(64)
const MODULE = 'package tappass'
const DIGEST = sha256(MODULE)
const DOCUMENT = { tappass: { levels: ['PUBLIC'] } }

const ALLOW = { action: 'allow', classification: 'PUBLIC', kinds: [], reasons: [], taint: [] }
const BLOCK = { ...ALLOW, action: 'block', reasons: [{ step: 'policy', kind: 'policy.unrecognised' }] }
const provenance = { bundles: { tappass: { revision: REVISION } } }
/** A policy that knows no agent without a name. */
const decision = (body: string) => ({ provenance, result: body.includes('"id":""') ? BLOCK : ALLOW })

type Answer = (response: ServerResponse, body: string, request: IncomingMessage) => void
const json =
  (value: (body: string) => unknown, status = 200): Answer =>
  (response, body) =>
    response.writeHead(status).end(JSON.stringify(value(body)))

/** What is right, by path. */
const RIGHT: Readonly<Record<string, Answer>> = {
  '/v1/data/tappass/verdict/decision': json(decision),
  '/v1/policies': json(() => ({ result: [{ id: 'one', raw: MODULE }] })),
  '/v1/data/tappass/levels': json(() => ({ result: ['PUBLIC'] })),
}

/** Serves the answers on a UNIX socket while `work` is done. */
async function withStandIn(
  answers: Readonly<Record<string, Answer>>,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'opa-stand-in-'))
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const path = (request.url ?? '').split('?')[0] ?? ''
    ;({ ...RIGHT, ...answers })[path]?.(response, body, request)
  })
  server.listen(join(folder, 'opa.sock'))
  await once(server, 'listening')
  try {
    await work(`unix://${folder}/opa.sock`)
  } finally {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `waitMsMax` is longer than any machine needs where waiting is not what a row is about. */
function engineOf(url: string, waitMsMax: number, faults: string[] = []) {
  const given = { url, revision: REVISION, digests: [DIGEST], document: DOCUMENT, clock: systemClock, waitMsMax }
  return createOpaPolicy({ ...given, onFault: ({ code }) => faults.push(code) })
}

const PATIENT_MS = 100_000
const SHORT_MS = 50
const DECISION = '/v1/data/tappass/verdict/decision'
const decides = (change: object): Answer => json((body) => ({ ...decision(body), ...change }))

const FAULTS: readonly (readonly [
  what: string,
  answers: Readonly<Record<string, Answer>>,
  code: string,
  waitMs?: number,
])[] = [
  ['an error', { [DECISION]: json(() => ({ code: 'internal_error' }), 500) }, 'OPA_STATUS_500'],
  [
    'a redirect',
    { [DECISION]: (response) => response.writeHead(307, { location: 'http://elsewhere/' }).end() },
    'OPA_STATUS_307',
  ],
  ['no JSON', { [DECISION]: (response) => response.end('allow') }, 'OPA_MALFORMED'],
  ['a list', { [DECISION]: json(() => [ALLOW]) }, 'OPA_MALFORMED'],
  [
    'half of a response',
    { [DECISION]: (response) => response.end(JSON.stringify(decision('')).slice(0, -9)) },
    'OPA_MALFORMED',
  ],
  ['nothing', { [DECISION]: (response) => response.end() }, 'OPA_MALFORMED'],
  ['an undefined result', { [DECISION]: json(() => ({ provenance })) }, 'OPA_NO_RESULT'],
  ['no revision', { [DECISION]: json(() => ({ result: ALLOW })) }, 'OPA_NO_BUNDLE', SHORT_MS],
  [
    'another revision',
    { [DECISION]: decides({ provenance: { bundles: { tappass: { revision: 'b' } } } }) },
    'OPA_OTHER_REVISION',
  ],
  [
    'a bundle of another name',
    { [DECISION]: decides({ provenance: { bundles: { other: { revision: REVISION } } } }) },
    'OPA_OTHER_REVISION',
  ],
  [
    'a second bundle',
    { [DECISION]: decides({ provenance: { bundles: { ...provenance.bundles, other: { revision: 'b' } } } }) },
    'OPA_OTHER_REVISION',
  ],
  [
    'an action that nobody knows',
    { [DECISION]: decides({ result: { ...ALLOW, action: 'permit' } }) },
    'OPA_NO_DECISION',
  ],
  ['a result that is true', { [DECISION]: decides({ result: true }) }, 'OPA_NO_DECISION'],
  ['other modules', { '/v1/policies': json(() => ({ result: [{ raw: `${MODULE}.x` }] })) }, 'OPA_OTHER_POLICY'],
  [
    'a module too many',
    { '/v1/policies': json(() => ({ result: [{ raw: MODULE }, { raw: '' }] })) },
    'OPA_OTHER_POLICY',
  ],
  ['no modules', { '/v1/policies': json(() => ({})) }, 'OPA_OTHER_POLICY'],
  ['another document', { '/v1/data/tappass/levels': json(() => ({ result: ['SECRET'] })) }, 'OPA_OTHER_DATA'],
  ['no document', { '/v1/data/tappass/levels': json(() => ({})) }, 'OPA_OTHER_DATA'],
  ['no answer', { [DECISION]: () => {} }, 'OPA_TIMEOUT', SHORT_MS],
  ['an answer that does not end', { [DECISION]: (response) => response.write('{') }, 'OPA_TIMEOUT', SHORT_MS],
  [
    'a connection that is closed each time',
    { [DECISION]: (_, __, request) => request.socket.destroy() },
    'OPA_UNREACHABLE',
    SHORT_MS,
  ],
]

for (const [what, answers, code, waitMs = PATIENT_MS] of FAULTS) {
  test(`OPA gives ${what}: ${code}, the probe too, told once`, () =>
    withStandIn(answers, async (url) => {
      const faults: string[] = []
      const engine = engineOf(url, waitMs, faults)
      const is = (error: OpaError): boolean =>
        error.code === code || (waitMs === SHORT_MS && error.code === 'OPA_TIMEOUT')
      for (const id of ['dec_1', 'dec_2']) await assert.rejects(engine.decide(requestWith('', []), id), is)
      await assert.rejects(probePolicy(engine), is)
      assert.ok(faults.length >= 1 && faults.length <= 3, faults.join())
      if (waitMs === PATIENT_MS) assert.deepEqual(faults, [code])
      await engine.close?.()
    }))
}

test('an OPA that is right decides, and the probe is content', () =>
  withStandIn({}, async (url) => {
    const faults: string[] = []
    const engine = engineOf(url, PATIENT_MS, faults)
    assert.equal((await engine.decide(requestWith('', []), 'dec_1')).action, 'allow')
    await probePolicy(engine)
    assert.deepEqual(faults, [])
    await engine.close?.()
  }))

test('nobody listens: it is said, and once the outage is long no call waits any more', async () => {
  let nowMs = 0
  const clock = { elapsedMs: () => (nowMs += PATIENT_MS / 4) }
  const given = {
    url: 'unix:///nowhere/opa.sock',
    revision: REVISION,
    digests: [],
    document: DOCUMENT,
    onFault: () => {},
  }
  const engine = createOpaPolicy({ ...given, clock, waitMsMax: PATIENT_MS })
  await assert.rejects(engine.decide(requestWith('', []), 'dec_1'), { code: 'OPA_UNREACHABLE' })
  await assert.rejects(engine.decide(requestWith('', []), 'dec_2'), { code: 'OPA_UNREACHABLE' })
  const readiness = createReadiness({ opa: () => probePolicy(engine) }, systemClock.elapsedMs)
  assert.equal((await readiness.check()).checks['opa']?.error, 'OpaError OPA_UNREACHABLE')
  await engine.close?.()
})
