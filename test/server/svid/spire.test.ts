/**
 * With the real SPIRE: SVIDs of twelve seconds, calls without a pause while they are renewed, the commands of the page, a revoked agent. A longer run:
 * `TAPPASS_SVID_SECONDS=120 TAPPASS_SVID_CALLS=500 node --test test/server/svid/spire.test.ts`. Needs: spire, bash, curl, jq, python.
 * On one Node: the one of servers.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { type Spire, startSpire, until } from './spire-process.ts'
import { AUDIENCE, createSvidClient, type SvidClient, type SvidReply, TRUST_DOMAIN } from './svid-client.ts'

const run = promisify(execFile)
const SECONDS = Number(process.env['TAPPASS_SVID_SECONDS'] ?? 12)
const CALLS = Number(process.env['TAPPASS_SVID_CALLS'] ?? 60)
/** Certificates of the gateway's own that have to be seen: one, and one for each of three rotations. */
const CERTIFICATES = 4
const ID = `spiffe://${TRUST_DOMAIN}/agent/one`

const own = mkdtempSync(join(tmpdir(), 'tappass-svid-own-'))
let spire: Spire
let gateway: RunningGateway
before(async () => {
  spire = await startSpire()
  await spire.addEntry(AUDIENCE, 'spiffe-helper', SECONDS, 'localhost')
  await spire.addEntry(ID, 'spire-agent', SECONDS)
  await spire.startAgent()
  await until(() => spire.fetchX509(own))
  spire.startHelper()
  gateway = await startGateway({
    TAPPASS_UPSTREAM_URL: undefined,
    TAPPASS_SPIFFE_TRUST_DOMAIN: TRUST_DOMAIN,
    TAPPASS_SPIFFE_SVID_DIR: spire.folder,
    TAPPASS_SPIFFE_ADDRESS: '127.0.0.1:0',
  })
})
after(async () => {
  await gateway?.close()
  await spire?.close()
  rmSync(own, { recursive: true })
})

const read = (name: string): string => readFileSync(join(own, name), 'utf8')
const connect = (): SvidClient => {
  const svid = { certificate: read('svid.0.pem'), key: read('svid.0.key') }
  return createSvidClient(gateway.svidUrl ?? '', [{ certificate: read('bundle.0.pem') }], svid)
}
const ask = (client: SvidClient): Promise<SvidReply> => client.send('POST', '/v1/chat/completions', chat('hello'))
const reasonOf = ({ body }: SvidReply): unknown => (body['error'] as Record<string, unknown> | undefined)?.['reason']

/** Asks over a connection of its own, with what was fetched last. */
async function once(): Promise<SvidReply> {
  const client = connect()
  return ask(client).finally(client.close)
}

/** The same with an SVID that was fetched just now. */
async function askAnew(): Promise<SvidReply> {
  await spire.fetchX509(own)
  return once()
}

test('an id that no agent has is refused until one has it', async () => {
  const refused = await askAnew()
  assert.deepEqual([refused.status, reasonOf(refused)], [401, 'unregistered'])
  const body = JSON.stringify({ agent_id: 'one', spiffe_id: ID })
  assert.equal((await gateway.admin('/agents', { method: 'POST', body })).status, 201)
  assert.equal((await askAnew()).status, 200)
})

/** The commands of the page, each in a fence of its own. */
const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/how-to/spiffe.md'), 'utf8')
const FENCES = [...PAGE.matchAll(/```(sh|python|js)\n(.*?)```/gs)].map(([, language, text = '']) => ({
  language,
  text,
}))
const COMMANDS: readonly (readonly [what: string, language: string, isIt: RegExp])[] = [
  ['curl with a certificate', 'sh', /^curl --cacert/],
  ['Python', 'python', /load_cert_chain/],
  ['Node', 'js', /node:https/],
  ['curl with a token', 'sh', /^token=/],
]
const PROGRAMS: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  sh: ['bash', 'page.sh'],
  python: ['python3', 'page.python'],
  js: [process.execPath, 'page.js'],
}

for (const [what, language, isIt] of COMMANDS) {
  test(`the page's command gets an answer: ${what}`, async () => {
    await spire.fetchX509(own)
    const text = FENCES.find((fence) => fence.language === language && isIt.test(fence.text))?.text ?? ''
    const local = text
      .replaceAll('https://localhost:9621', `https://localhost:${new URL(gateway.svidUrl ?? '').port}`)
      .replaceAll('http://localhost:9620', gateway.url)
      .replaceAll('spire-agent api fetch jwt', `${spire.agentProgram} api fetch jwt ${spire.agentOptions}`)
    writeFileSync(join(own, `page.${language}`), local)
    writeFileSync(join(own, 'package.json'), '{"type":"module"}')
    const [program = '', ...args] = PROGRAMS[language] ?? []
    const { stdout } = await run(program, args, { cwd: own })
    assert.equal(JSON.parse(stdout).choices[0].message.role, 'assistant', stdout)
  })
}

test(`no call fails while SVIDs of ${SECONDS} s are renewed three times`, async () => {
  const serials = new Set<string>()
  const failures: unknown[] = []
  let calls = 0
  const note = (reply: SvidReply): void => {
    calls += 1
    serials.add(reply.serial)
    if (reply.status !== 200) failures.push([reply.status, reply.body])
  }
  const bearer = async (token: string): Promise<void> => {
    const headers = { authorization: `Bearer ${token}` }
    const { status } = await gateway.post('/v1/chat/completions', chat('hello'), headers)
    calls += 1
    if (status !== 200) failures.push([status, 'token'])
  }
  while (serials.size < CERTIFICATES || calls < CALLS) {
    await spire.fetchX509(own)
    const token = await spire.fetchToken(AUDIENCE)
    const kept = connect()
    // What was fetched is good for half of its time at least; it is used for the first part of that, however slow the machine is.
    const endMs = Date.parse(new X509Certificate(read('svid.0.pem')).validTo)
    const untilMs = Math.min(Date.now() + SECONDS * 200, endMs - SECONDS * 300)
    while (Date.now() < untilMs) {
      await Promise.all([ask(kept).then(note), once().then(note), bearer(token)]).catch((error) => failures.push(error))
      await new Promise((resolve) => setTimeout(resolve, SECONDS * 10))
    }
    kept.close()
  }
  process.stdout.write(`# ${calls} calls, ${serials.size} certificates of the gateway, ${failures.length} failures\n`)
  assert.deepEqual(failures, [])
})

test('after its revocation the agent is refused, with SVIDs that SPIRE goes on to issue', async () => {
  assert.equal((await gateway.admin('/agents/one', { method: 'DELETE' })).status, 204)
  const refused = await askAnew()
  assert.deepEqual([refused.status, reasonOf(refused)], [401, 'deactivated'])
})
