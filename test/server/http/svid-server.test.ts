/** The mTLS listener itself: versions of TLS, sessions, chains, bytes that are no request, and connections across a rotation. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { after, before, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { type Issued, issue, issueAuthority } from '../svid/certificate-fixture.ts'
import { createSvidClient, createSvidFolder, issueGateway, TRUST_DOMAIN, writeSvidFolder } from '../svid/svid-client.ts'
import { readAnswer } from './wire.ts'

const ID = `spiffe://${TRUST_DOMAIN}/agent/one`
const authority = issueAuthority(TRUST_DOMAIN)
const folder = createSvidFolder()
const svid = issue({ issuer: authority, uris: [ID] })

let gateway: RunningGateway
before(async () => {
  await writeSvidFolder(folder, { svid: issueGateway(authority), authorities: [authority] })
  gateway = await startGateway({
    TAPPASS_UPSTREAM_URL: undefined,
    TAPPASS_SPIFFE_TRUST_DOMAIN: TRUST_DOMAIN,
    TAPPASS_SPIFFE_SVID_DIR: folder,
    TAPPASS_SPIFFE_ADDRESS: '127.0.0.1:0',
  })
  await gateway.admin('/agents', { method: 'POST', body: JSON.stringify({ agent_id: 'one', spiffe_id: ID }) })
})
after(async () => {
  await gateway.close()
  rmSync(folder, { recursive: true })
})

const port = (): number => Number(new URL(gateway.svidUrl ?? '').port)

async function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { certificate: cert, key } = svid
  const trusted = { ca: authority.certificate, checkServerIdentity: () => undefined }
  const socket = connect({ host: '127.0.0.1', port: port(), cert, key, ...trusted, ...options })
  await once(socket, 'secureConnect')
  return socket
}
const get = async (client: Readonly<{ certificate: string; key: string }>): Promise<number> => {
  const connection = createSvidClient(gateway.svidUrl ?? '', [authority], client)
  const { status } = await connection.send('GET', '/v1/models')
  connection.close()
  return status
}
const metrics = async (): Promise<string> => (await gateway.admin('/metrics')).text()

const VERSIONS: readonly (readonly [version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', isSpoken: boolean])[] = [
  ['TLSv1.1', false],
  ['TLSv1.2', true],
  ['TLSv1.3', true],
]
for (const [version, isSpoken] of VERSIONS) {
  test(`${version} is ${isSpoken ? '' : 'not '}spoken`, async () => {
    const ciphers = version === 'TLSv1.1' ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {}
    const attempt = handshake({ minVersion: version, maxVersion: version, ...ciphers })
    if (!isSpoken) return assert.rejects(attempt)
    const socket = await attempt
    assert.equal(socket.getProtocol(), version)
    socket.destroy()
  })
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a session of ${version} is not resumed: each handshake has a verdict of its own`, async () => {
    const options = { minVersion: version, maxVersion: version }
    const first = await handshake(options)
    let session: Buffer | undefined = first.getSession()
    first.on('session', (each: Buffer) => {
      session = each
    })
    first.write('GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n')
    assert.equal((await readAnswer(first)).status, 200)
    first.destroy()
    const second = await handshake({ ...options, ...(session === undefined ? {} : { session }) })
    assert.equal(second.isSessionReused(), false)
    second.destroy()
  })
}

/** Versions of Node that show a server no certificate of a client but its own (nodejs/node#65579). */
const HIDES_CHAINS = /^v(24\.21|26\.[89])\./.test(process.version)

test(`a chain through an intermediate that the client shows is ${HIDES_CHAINS ? 'refused, as this Node hides it' : 'taken'}`, async () => {
  const intermediate = issueAuthority(TRUST_DOMAIN, { issuer: authority })
  const leaf = issue({ issuer: intermediate, uris: [ID] })
  assert.equal(
    await get({ certificate: leaf.certificate + intermediate.certificate, key: leaf.key }),
    HIDES_CHAINS ? 401 : 200,
  )
  assert.equal(await get(leaf), 401)
})

test('bytes that are no TLS, and bytes that are no request', async () => {
  const plain = connectPlain(port(), '127.0.0.1')
  plain.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n')
  plain.resume()
  await once(plain, 'close')
  assert.match(
    await metrics(),
    /^tappass_svid_refusals_total\{gateway="1",credential="x509_svid",reason="handshake"\} [1-9]/m,
  )
  const socket = await handshake()
  socket.write('what?\r\n\r\n')
  const answer = await readAnswer(socket)
  assert.equal(answer.status, 400)
  assert.match(answer.body, /request\.malformed/)
  socket.destroy()
})

test('a flood of forged certificates does not fill the ledger', async () => {
  const forger = issueAuthority(TRUST_DOMAIN)
  const forged = issue({ issuer: forger, uris: [ID] })
  const client = createSvidClient(gateway.svidUrl ?? '', [authority], forged)
  for (let count = 0; count < 40; count++) assert.equal((await client.send('GET', '/v1/models')).status, 401)
  client.close()
  const recorded = (await gateway.audit('event_type=request_refused&limit=100')).filter(
    ({ details }) => details['reason'] === 'signature',
  )
  assert.ok(recorded.length > 0 && recorded.length <= 10, String(recorded.length))
  assert.match(
    await metrics(),
    /^tappass_svid_refusals_total\{gateway="1",credential="x509_svid",reason="signature"\} [4-9]\d$/m,
  )
})

/** Resolves when new connections are shown a certificate of this serial number. */
async function shows({ x509 }: Issued): Promise<void> {
  for (;;) {
    const socket = await handshake({ rejectUnauthorized: false })
    const { serialNumber } = socket.getPeerCertificate()
    socket.destroy()
    if (serialNumber === x509.serialNumber) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a new SVID, then a new authority: open connections go on, and an authority that has left takes its SVIDs along', async () => {
  const client = createSvidClient(gateway.svidUrl ?? '', [authority], svid)
  const first = await client.send('POST', '/v1/chat/completions', chat('hello'))
  const renewed = issueGateway(authority)
  await writeSvidFolder(folder, { svid: renewed })
  await shows(renewed)
  const second = await client.send('POST', '/v1/chat/completions', chat('hello'))
  assert.deepEqual([first.status, second.status, second.serial], [200, 200, first.serial])

  const nextAuthority = issueAuthority(TRUST_DOMAIN)
  const ofNext = issue({ issuer: nextAuthority, uris: [ID] })
  assert.equal(await get(ofNext), 401)
  const both = issueGateway(authority)
  await writeSvidFolder(folder, { svid: both, authorities: [authority, nextAuthority] })
  await shows(both)
  assert.deepEqual([await get(ofNext), (await client.send('GET', '/v1/models')).status], [200, 200])

  const last = issueGateway(nextAuthority)
  await writeSvidFolder(folder, { svid: last, authorities: [nextAuthority] })
  await shows(last)
  const left = await client.send('GET', '/v1/models')
  assert.deepEqual([left.status, (left.body['error'] as { reason?: string }).reason], [401, 'signature'])
  client.close()
})
