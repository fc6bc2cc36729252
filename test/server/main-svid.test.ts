/** The gateway as a process with two sockets of systemd: it serves clients with an SVID once it has one, and stops without failing their calls. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ADMIN_KEY, chat } from './running-gateway.ts'
import { issue, issueAuthority } from './svid/certificate-fixture.ts'
import { createSvidClient, createSvidFolder, issueGateway, TRUST_DOMAIN, writeSvidFolder } from './svid/svid-client.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const ID = `spiffe://${TRUST_DOMAIN}/agent/one`
const authority = issueAuthority(TRUST_DOMAIN)
const folder = createSvidFolder()
let child: ChildProcess | undefined
after(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

async function openSocket(): Promise<Readonly<{ listener: Server; fd: number; port: number }>> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { fd } = (listener as unknown as { _handle: { fd: number } })._handle
  return { listener, fd, port: (listener.address() as AddressInfo).port }
}

test('a process without an SVID serves keys, then SVIDs once it has one, and drains both', async () => {
  const [spiffe, ordinary] = [await openSocket(), await openSocket()]
  child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath, MAIN], {
    stdio: ['ignore', 'ignore', 'inherit', spiffe.fd, ordinary.fd, 'ipc'],
    env: {
      PATH: process.env['PATH'] ?? '',
      TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
      TAPPASS_LOG_LEVEL: 'error',
      TAPPASS_SPIFFE_TRUST_DOMAIN: TRUST_DOMAIN,
      TAPPASS_SPIFFE_SVID_DIR: folder,
      LISTEN_FDS: '2',
      LISTEN_FDNAMES: 'spiffe:tappass.socket',
    },
  })
  spiffe.listener.close()
  ordinary.listener.close()
  const [message] = (await once(child, 'message')) as [{ type: string; url: string }]
  assert.deepEqual([message.type, message.url], ['ready', `http://127.0.0.1:${ordinary.port}`])
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ agent_id: 'one', spiffe_id: ID })
  assert.equal((await fetch(`${message.url}/agents`, { method: 'POST', headers, body })).status, 201)
  const ready = async (): Promise<unknown> => {
    const { checks } = (await (await fetch(`${message.url}/health/ready`)).json()) as { checks: { spiffe: string } }
    return checks.spiffe
  }
  assert.equal(await ready(), 'degraded')

  // It waits in the socket's queue until there is a certificate to show.
  const client = createSvidClient(
    `https://127.0.0.1:${spiffe.port}`,
    [authority],
    issue({ issuer: authority, uris: [ID] }),
  )
  const waiting = client.send('POST', '/v1/chat/completions', chat('hello'))
  await writeSvidFolder(folder, { svid: issueGateway(authority), authorities: [authority] })
  assert.equal((await waiting).status, 200)
  assert.equal(await ready(), 'ok')

  const ended = once(child, 'exit')
  const [last] = await Promise.all([client.send('POST', '/v1/chat/completions', chat('hello')), child.kill('SIGTERM')])
  assert.equal(last.status, 200)
  client.close()
  assert.deepEqual(await ended, [0, null])
})
