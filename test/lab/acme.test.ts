/** A certificate from a public authority, by the repository's Caddyfile: a real ACME server (Pebble), a real challenge over port 80's like. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { caddyfile, certificateFor, freePorts, startCaddy } from './caddy-process.ts'
import { ensurePebble } from './program.ts'

const NAME = 'gw.example.com'
const HEADER_BYTES = 12
const TYPE_A = 1

/** A DNS server, over TCP as Pebble asks, for which every name is this machine. */
const startNames = async (): Promise<Readonly<{ address: string; stop: () => void }>> => {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (framed: Buffer) => {
        const asked = framed.subarray(2)
        const questionEnd = asked.indexOf(0, HEADER_BYTES) + 5
        const isAddress = asked.readUInt16BE(questionEnd - 4) === TYPE_A
        const head = Buffer.from(asked.subarray(0, questionEnd))
        head.writeUInt16BE(0x8180, 2)
        head.writeUInt16BE(isAddress ? 1 : 0, 6)
        head.fill(0, 8, HEADER_BYTES)
        const answer = isAddress ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1] : []
        const length = Buffer.alloc(2)
        length.writeUInt16BE(head.length + answer.length)
        socket.write(Buffer.concat([length, head, Buffer.from(answer)]))
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() }
}

const untilListening = async (port: number): Promise<void> => {
  for (let looks = 0; looks < 600; looks += 1) {
    const socket = connect(port, '127.0.0.1')
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isThere) return
    await pause(100)
  }
  assert.fail(`nothing listens on ${port}`)
}

const startPebble = async (folder: string, ports: Readonly<{ http: number; https: number }>, names: string) => {
  const { program, certificates } = await ensurePebble()
  const [listen, management] = await freePorts()
  const profile = (validityPeriod: number) => ({ description: 'of the test', validityPeriod })
  const config = {
    pebble: {
      ...{ listenAddress: `127.0.0.1:${listen}`, managementListenAddress: `127.0.0.1:${management}` },
      certificate: join(certificates, 'localhost/cert.pem'),
      privateKey: join(certificates, 'localhost/key.pem'),
      ...{
        httpPort: ports.http,
        tlsPort: ports.https,
        profiles: { long: profile(7_776_000), short: profile(518_400) },
      },
    },
  }
  await writeFile(join(folder, 'pebble.json'), JSON.stringify(config))
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' }
  const child = spawn(program, ['-config', join(folder, 'pebble.json'), '-dnsserver', names], { env, stdio: 'ignore' })
  // An authority that is not there yet is asked again after a minute.
  await untilListening(listen)
  return {
    directory: `https://localhost:${listen}/dir`,
    root: join(certificates, 'pebble.minica.pem'),
    stop: () => child.kill('SIGKILL'),
  }
}

test('a public name gets a certificate of the authority and the profile that are set, within their life', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tappass-acme-'))
  const [http, https] = await freePorts()
  const names = await startNames()
  const pebble = await startPebble(folder, { http, https }, names.address)
  const caddy = await startCaddy({
    folder,
    config: caddyfile,
    env: {
      ...{ TAPPASS_HTTP_PORT: `${http}`, TAPPASS_HTTPS_PORT: `${https}` },
      ...{ TAPPASS_SITE: `https://${NAME}`, TAPPASS_OTHER_NAMES: 'refused', TAPPASS_NAME: NAME },
      ...{ TAPPASS_TLS: 'acme-profile', TAPPASS_ACME_DIRECTORY: pebble.directory, TAPPASS_ACME_PROFILE: 'short' },
      SSL_CERT_FILE: pebble.root,
    },
  })
  try {
    let certificate = await certificateFor(https, NAME).catch(() => undefined)
    for (let looks = 0; certificate === undefined && looks < 900; looks += 1) {
      await pause(100)
      certificate = await certificateFor(https, NAME).catch(() => undefined)
    }
    assert.ok(certificate !== undefined, caddy.log())
    assert.equal(certificate.subjectaltname, `DNS:${NAME}`)
    assert.match(`${certificate.issuer.CN}`, /^Pebble Intermediate/)
    const days = (Date.parse(certificate.valid_to) - Date.parse(certificate.valid_from)) / 86_400_000
    assert.ok(days > 5.9 && days < 6.1, `${days}`)
    // Without such a name there is no certificate at all.
    await assert.rejects(certificateFor(https, 'other.example.com'))
  } finally {
    await caddy.kill()
    pebble.stop()
    names.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
