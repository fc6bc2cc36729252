/** What is rendered for cloudflared, and two connectors of which one restarts, with the stand-in of cloudflared. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { tunnelConfigText } from '../../scripts/spec/tunnel-spec.ts'
import { execute } from './execution.ts'
import { ensureTunnelProgram } from './program.ts'
import { startConnector, startEdge, TUNNEL, tunnelCredentials, tunnelToken } from './tunnel-process.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tappass-tunnel-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const written = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const validate = async (text: string) => {
  const path = await written('candidate.yml', text)
  return execute([await ensureTunnelProgram('cloudflared'), 'tunnel', '--config', path, 'ingress', 'validate'])
}

const { id } = TUNNEL
const rendered = [
  { name: 'a domain', setting: { id }, domain: 'gw.example.com' },
  {
    name: 'routes',
    setting: {
      id,
      routes: [
        { hostname: 'gw.example.com', path: '^/docs/', service: 'http://127.0.0.1:8080' },
        { hostname: 'gw.example.com', service: 'gateway' },
        { hostname: '*.gw.example.com', service: 'https://10.0.0.7:8443' },
      ],
    },
    domain: undefined,
  },
] as const

for (const { name, setting, domain } of rendered) {
  test(`what is rendered for ${name} is accepted`, async () => {
    const text = tunnelConfigText({ ...setting, routes: 'routes' in setting ? [...setting.routes] : undefined }, domain)
    assert.match(text, /service: http_status:404\n$/)
    const { code, stdout, stderr } = await validate(text)
    assert.deepEqual([code, stdout.trim().endsWith('OK')], [0, true], stderr)
  })
}

const rule = (text: string): string => `tunnel: ${id}\ningress:\n  - ${text}\n  - service: http_status:404\n`
const refused = [
  ['no rules', tunnelConfigText({}, 'gw.example.com'), /doesn't contain any ingress rules/],
  ['no last rule for all', `ingress: [{ hostname: a.example, service: 'http://a:1' }]`, /last ingress rule must match/],
  ['a port', rule('{ hostname: "a.example:80", service: "http://a:1" }'), /cannot contain a port/],
  ['a star inside', rule('{ hostname: a.*.example, service: "http://a:1" }'), /wildcard/],
  ['a path of the service', rule('{ hostname: a.example, service: "http://a:1/x" }'), /different path/],
  ['a service without scheme', rule('{ hostname: a.example, service: a }'), /scheme and a hostname/],
  ['an expression that is none', rule('{ hostname: a.example, path: "(", service: "http://a:1" }'), /invalid regex/],
  ['a rule for all before others', rule('{ service: "http://a:1" }'), /never be triggered/],
] as const

for (const [name, text, problem] of refused) {
  test(`the validator refuses ${name}`, async () => {
    const { code, stderr } = await validate(text)
    assert.equal(code, 1)
    assert.match(stderr, problem)
  })
}

test('a token that is none, a flag that is none and a grace period that is too long are refused', async () => {
  const program = await ensureTunnelProgram('cloudflared')
  const token = await written('token', 'eyJhIjoieCJ9')
  for (const [words, problem] of [
    [['run', '--token-file', token], /token is not valid/],
    [['run', '--token-path', token], /not defined: -token-path/],
    [['--grace-period', '4m', 'run', '--token-file', token], /grace-period must be equal or less than 3m/],
    [['run'], /requires the ID or name/],
  ] as const) {
    const { code, stderr } = await execute([program, 'tunnel', ...words])
    assert.equal(code, 1)
    assert.match(stderr, problem)
  }
})

const PIECES = 20
const PIECE_MS = 100

/** A gateway that answers `/stream` in pieces, and everything else with `ok`. */
const startGateway = async () => {
  const server = createServer(async (asked, response) => {
    if (asked.url !== '/stream') return response.end('ok')
    for (let index = 0; index < PIECES; index += 1) {
      response.write(`${index}.`)
      await pause(PIECE_MS)
    }
    return response.end('end')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() }
}

/** Asks on a connection of its own. `firstMs` is when the first piece of the answer was here. */
const ask = (clients: string, host: string, path: string) =>
  new Promise<Readonly<{ status: number | undefined; text: string; firstMs: number; endMs: number }>>(
    (resolve, reject) => {
      const [hostname, port] = clients.split(':')
      const began = performance.now()
      const asking = request({ hostname, port, path, headers: { host }, agent: false }, (response) => {
        let [text, firstMs] = ['', 0]
        response.setEncoding('utf8').on('data', (piece: string) => {
          firstMs ||= performance.now() - began
          text += piece
        })
        response.once('error', reject).once('end', () => {
          resolve({ status: response.statusCode, text, firstMs, endMs: performance.now() - began })
        })
      })
      asking.once('error', reject).end()
    },
  )

const kinds = [
  { name: 'rules kept here', metrics: 20251, remote: false },
  { name: 'rules kept at Cloudflare', metrics: 20261, remote: true },
] as const

for (const { name, metrics, remote } of kinds) {
  test(`two connectors, ${name}: each restarts under load, nothing is lost, streams end whole and come as they are sent`, async () => {
    const gateway = await startGateway()
    const service = `http://127.0.0.1:${gateway.port}`
    const routes = [{ hostname: 'gw.example.com', service }]
    const edge = await startEdge('127.0.0.1', remote ? [...routes, { service: 'http_status:404' }] : [])
    const setting = remote ? {} : { id, routes }
    const config = await written(`config-${metrics}.yml`, tunnelConfigText(setting, undefined))
    const run = remote
      ? ['--token-file', await written('token', `${tunnelToken()}\n`)]
      : ['--credentials-file', await written('credentials', tunnelCredentials())]
    const start = (index: number) => startConnector(edge, metrics + index, { config, run })
    const connectors = await Promise.all([start(0), start(1)])
    try {
      assert.equal((await ask(edge.clients, 'other.example.com', '/')).status, 404)
      let isAsking = true
      const answers: string[] = []
      const asking = Array.from({ length: 8 }, async () => {
        while (isAsking) {
          const { status, text } = await ask(edge.clients, 'gw.example.com', '/')
          answers.push(`${status} ${text}`)
        }
      })
      const streams = Array.from({ length: 8 }, () => ask(edge.clients, 'gw.example.com', '/stream'))
      await pause(PIECE_MS * 2)
      for (const [index, connector] of connectors.entries()) {
        await connector.stop()
        connectors[index] = await start(index)
      }
      for (const { text, firstMs, endMs } of await Promise.all(streams)) {
        assert.equal(text, `${Array.from({ length: PIECES }, (_, index) => `${index}.`).join('')}end`)
        assert.ok(endMs - firstMs > (PIECES * PIECE_MS) / 2)
      }
      isAsking = false
      await Promise.all(asking)
      assert.deepEqual([...new Set(answers)], ['200 ok'])
      assert.ok(answers.length > 100, `${answers.length}`)
    } finally {
      for (const connector of connectors) connector.child.kill('SIGKILL')
      edge.stop()
      gateway.stop()
    }
  })
}
