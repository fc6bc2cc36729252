/**
 * The gateway and its database as containers, with the real Engine and Compose: from the example of the environment file to a governed call, and what must hold of
 * what came out. Takes 2 minutes.
 */
import assert from 'node:assert/strict'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseEnv } from 'node:util'
import OpenAI from 'openai'
import { Agent, fetch as fetchWith, request } from 'undici'
import { quoteAll } from '../../scripts/core/quoting.ts'
import { layClone } from './clone.ts'
import { demand, execute, type Output } from './execution.ts'
import { ensureImage } from './image.ts'
import { ensureIngressImages } from './ingress-image.ts'
import { hostAddressOf, reboot, run, runLine } from './machine.ts'
import { ensureNodeImages } from './node-image.ts'
import { type OpaMirror, startOpaMirror } from './opa-mirror.ts'
import { readPins } from './pin.ts'
import { rootPath } from './root.ts'
import { bareServer, inside, repository, type Server, toolkit } from './server.ts'
import { type Edge, startEdge, tunnelToken } from './tunnel-process.ts'

/** Of the model server, before each piece of a stream. */
const PAUSE_MS = 20
const SERVICES = ['gateway', 'opa', 'postgres', 'redis']
const SECRETS = ['TAPPASS_ADMIN_API_KEY', 'TAPPASS_JWT_SECRET', 'TAPPASS_VAULT_KEY', 'TAPPASS_TOKEN_KEY']
const PASSWORDS = ['TAPPASS_CHECKPOINT_KEY', 'POSTGRES_PASSWORD', 'POSTGRES_OWNER_PASSWORD']

let server: Server
let mirror: OpaMirror
let edge: Edge
let environment: Readonly<Record<string, string | undefined>>
let key: string
let client: OpenAI

const clone = (): string => join(rootPath(server.machine.name), 'root/tappass')
const compose = (words: string): Promise<string> =>
  inside(server, `cd /root/tappass && docker compose --env-file .env.prod --progress plain ${words} 2>&1`)
/** Where this host reaches the gateway: on its own port, later through Caddy, whose authority is trusted. */
let reach: Readonly<{ base: string; fetch: typeof globalThis.fetch }>
const url = (path: string): string => `${reach.base}${path}`
const fetch = (path: string, init: RequestInit = {}): Promise<Response> => reach.fetch(url(path), init)

/** Loads an archive of an image into the machine's engine. */
async function load(path: string): Promise<void> {
  const line = await runLine(server.machine.name, ['docker', 'load', '--quiet'])
  await demand(['sh', '-c', 'exec "$@" <"$0"', path, ...line])
}

before(async () => {
  const [images, ingress] = [await ensureNodeImages(), await ensureIngressImages()]
  const pins = (await readPins()).images
  const of = (name: string) => pins[name]?.reference.split('@')[0] ?? ''
  server = await bareServer('compose', PAUSE_MS, { tree: 'docker' })
  reach = { base: `http://${server.machine.address}:9620`, fetch: globalThis.fetch }
  mirror = await startOpaMirror(await hostAddressOf(server.machine))
  await inside(server, 'systemctl start docker')
  const ours = [images.build, images.runtime, ingress.caddy, ingress.cloudflared].map(({ path }) => path)
  const archives = [...ours, await ensureImage('postgres'), await ensureImage('redis')]
  await Promise.all(archives.map(load))
  await layClone(server.machine, '/root/tappass')
  const file = join(clone(), '.env.prod')
  await copyFile(join(clone(), '.env.example'), file)
  const made = await toolkit(['secrets', 'make', '--env', file])
  assert.equal(made.code, 0, made.stderr)
  // What can't be pulled here; and the gateway is to be reached from this host.
  const settings = {
    ...{ NODE_IMAGE: images.build.reference, RUNTIME_IMAGE: images.runtime.reference },
    ...{ CADDY_IMAGE: ingress.caddy.reference, CLOUDFLARED_IMAGE: ingress.cloudflared.reference },
    ...{ POSTGRES_IMAGE: of('postgres'), REDIS_IMAGE: of('redis') },
    ...{ OPA_DOWNLOAD: mirror.url, TAPPASS_BIND: server.machine.address, TAPPASS_UPSTREAM_URL: server.upstream.url },
  }
  const text = (await readFile(file, 'utf8')).replace(/^TAPPASS_UPSTREAM_URL=.*\n/m, '')
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(file, `${text}${lines.join('')}`)
  environment = parseEnv(await readFile(file, 'utf8')) as typeof environment
})
after(async () => {
  edge?.stop()
  await mirror?.close()
  await server?.close()
})

/** Types a command at this clone's toolkit, over the engine of the machine. */
const typed = async (...words: readonly string[]): Promise<Output> => {
  const line = await runLine(server.machine.name, ['docker'])
  await writeFile(join(server.folder, 'docker'), `#!/bin/sh\nexec ${quoteAll(line)} "$@"\n`, { mode: 0o755 })
  const argv = [join(repository, 'scripts/cli.ts'), ...words, '--compose', join(clone(), 'compose.yaml')]
  const env = { PATH: `${server.folder}:${process.env['PATH']}`, HOME: process.env['HOME'] }
  return execute([process.execPath, ...argv], { env })
}

const admin = async (path: string, body?: unknown): Promise<Response> =>
  fetch(path, {
    headers: { authorization: `Bearer ${environment['TAPPASS_ADMIN_API_KEY']}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
const openai = (): OpenAI => new OpenAI({ apiKey: key, baseURL: url('/v1'), maxRetries: 0, fetch: reach.fetch })
const call = async (content = 'good day'): Promise<string> =>
  (await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] })).choices[0]?.message
    .content ?? ''
const entries = async (): Promise<number> =>
  Number(
    await inside(
      server,
      `docker exec tappass-postgres-1 psql --no-psqlrc -qAt --host /tmp --username postgres --dbname tappass --command 'SELECT count(*) FROM audit_events'`,
    ),
  )
const kill = (service: string): Promise<string> =>
  inside(server, `kill -9 "$(docker inspect --format '{{.State.Pid}}' tappass-${service}-1)"`)
/** The milliseconds until a call is answered again; a minute at most, or it has failed. */
const outageMs = async (isBack: () => Promise<unknown> = () => call()): Promise<number> => {
  for (const startMs = performance.now(); performance.now() < startMs + 60_000; ) {
    if (await isBack().then(Boolean, () => false)) return Math.round(performance.now() - startMs)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`no call is answered: ${await compose('ps --all')}`)
}

test('one command: images are built, the schema is made, all is healthy, and a call is governed', async (context) => {
  const startMs = performance.now()
  await compose('up --detach --wait --wait-timeout 180')
  context.diagnostic(`up with the build: ${Math.round(performance.now() - startMs)} ms`)
  const health = (await (await fetch('/health')).json()) as Record<string, unknown>
  assert.deepEqual([health['status'], health['storage']], ['healthy', 'local'])
  const ready = (await (await fetch('/health/ready')).json()) as { checks: Readonly<Record<string, string>> }
  assert.deepEqual(ready.checks, { database: 'ok', opa: 'ok', redis: 'ok' })
  const detailed = (await (await admin('/health/detailed')).json()) as Readonly<Record<string, unknown>>
  assert.equal(detailed['policyEngine'], 'opa')
  const made = await admin('/agents', { agent_id: 'bot' })
  assert.equal(made.status, 201)
  const { api_key: apiKey } = (await made.json()) as { api_key: string }
  key = apiKey
  client = openai()
  assert.equal(await call(), 'You said: good day')
  assert.ok((await entries()) > 0)
  // The gateway has the rights that it needs in Redis, and nobody else has any.
  assert.match(await (await admin('/metrics')).text(), /^tappass_redis_memory_max_bytes\S* 67108864$/m)
  assert.match(
    await inside(server, 'docker exec tappass-redis-1 redis-cli ping 2>&1 || :'),
    /^(NOAUTH|NOPERM|WRONGPASS)/,
  )
})

test('no secret stands in what the engine shows of containers and images, nor in what they say', async () => {
  const shown = await inside(
    server,
    'docker inspect $(docker ps --all --quiet) $(docker image ls --quiet); docker history --no-trunc tappass:0.12.0; docker history --no-trunc tappass-opa:0.12.0',
  )
  const said = await compose('logs --no-color')
  for (const name of [...SECRETS, ...PASSWORDS]) {
    const value = (environment[name] ?? '').split('\n')[1] ?? environment[name] ?? ''
    assert.ok(value.length > 16, name)
    assert.ok(!shown.includes(value) && !said.includes(value), `${name} is shown`)
  }
  // And only its service has it, as a file of its own.
  assert.equal(
    await inside(
      server,
      'cd /var/lib/docker/volumes && ls tappass_secrets-migrate/_data tappass_secrets-postgres/_data',
    ),
    'tappass_secrets-migrate/_data:\npostgres-owner-password\n\ntappass_secrets-postgres/_data:\npostgres-owner-password\npostgres-password',
  )
})

test('each container: no root, no capability, a read-only root, no new privileges; only the gateway is published', async () => {
  const format =
    '{{.Name}} {{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.LogConfig.Type}} {{len .HostConfig.PortBindings}} {{.HostConfig.NetworkMode}}'
  const lines = (await inside(server, `docker inspect --format '${format}' $(docker ps --quiet)`)).split('\n')
  assert.deepEqual(lines.toSorted(), [
    '/tappass-gateway-1 65532:65532 true [ALL] [] [no-new-privileges:true] unless-stopped local 1 tappass_cache',
    '/tappass-opa-1 65531:65531 true [ALL] [] [no-new-privileges:true] unless-stopped local 0 none',
    '/tappass-postgres-1 70:70 true [ALL] [] [no-new-privileges:true] unless-stopped local 0 tappass_database',
    '/tappass-redis-1 999:1000 true [ALL] [] [no-new-privileges:true] unless-stopped local 0 tappass_cache',
  ])
  // The database's network leads nowhere: it is asked from a container that is only in it.
  const outward = `docker exec tappass-postgres-1 sh -c 'wget -q -T 3 -O - ${server.upstream.url} 2>&1 || echo closed'`
  assert.match(await inside(server, outward), /closed$/)
  assert.match(
    await inside(server, 'docker exec tappass-gateway-1 /bin/sh -c true 2>&1 || :'),
    /no such file or directory/,
  )
})

test('status, doctor and logs of the containers: all is well, but for the port that is open without TLS', async () => {
  const [status, doctor, logs] = await Promise.all([
    typed('status'),
    typed('doctor', '--all'),
    typed('logs', 'migrate', '--lines', '5'),
  ])
  assert.equal(status.code, 0, status.stdout + status.stderr)
  for (const service of [...SERVICES, 'migrate', 'secrets'])
    assert.match(status.stdout, new RegExp(`^${service} +ok `, 'm'))
  assert.match(doctor.stdout, / checks: 0 wrong, 1 to look at, /)
  assert.match(doctor.stdout, new RegExp(`^look +published: .*${server.machine.address}:9620 without TLS$`, 'm'))
  assert.deepEqual([logs.code, /^migrate-1 /m.test(logs.stdout)], [0, true], logs.stdout + logs.stderr)
})

test('a second time: nothing is made anew, and calls go on', async () => {
  const ids = () => inside(server, 'docker ps --quiet --no-trunc | sort')
  const beforehand = await ids()
  const calling = Promise.all(Array.from({ length: 20 }, () => call()))
  await compose('up --detach --wait')
  assert.deepEqual((await calling).length, 20)
  assert.equal(await ids(), beforehand)
})

test('OPA is away: calls are refused and that is recorded, and readiness says so; it is back: they pass', async () => {
  await compose('stop opa')
  const beforehand = await entries()
  await assert.rejects(call(), (error: { status?: number }) => error.status === 503)
  const [status, doctor] = await Promise.all([typed('status'), typed('doctor')])
  assert.deepEqual([status.code, doctor.code], [1, 1], `${status.stderr}${doctor.stderr}`)
  assert.match(status.stdout, /^opa +WRONG +exited .*$/m)
  assert.match(status.stdout, /^the gateway says: database ok, opa failed, redis ok$/m)
  assert.match(doctor.stdout, /^WRONG +service\.opa: opa: it has ended, .*\n +next: .* logs --compose \S+ opa$/m)
  const answer = await fetch('/health/ready')
  const { checks } = (await answer.json()) as { checks: Readonly<Record<string, string>> }
  assert.deepEqual([answer.status, checks['opa'], checks['database']], [503, 'failed', 'ok'])
  assert.ok((await entries()) > beforehand)
  await compose('start opa')
  await outageMs()
})

for (const service of SERVICES)
  test(`${service} is killed: it is back by itself, and every entry is there`, async (context) => {
    const beforehand = await entries()
    await kill(service)
    context.diagnostic(`${service} killed: calls are answered again after ${await outageMs()} ms`)
    assert.ok((await entries()) > beforehand)
  })

/** What a tunnel would lead to; the edge has it from Cloudflare's settings. */
const tunnelledStatus = async (path: string): Promise<number> => {
  // `fetch` sends no other host name than that of the address.
  const { statusCode, body } = await request(`http://${edge.clients}${path}`, { headers: { host: 'gw.example.com' } })
  await body.dump()
  return statusCode
}

test('Caddy and a tunnel in front, by profile: only the ingress is published, streams come as they are sent', async () => {
  const host = await hostAddressOf(server.machine)
  edge = await startEdge(host, [
    { hostname: 'gw.example.com', service: 'http://gateway:9620' },
    { service: 'http_status:404' },
  ])
  const { address } = server.machine
  await writeFile(
    join(clone(), 'lab.yaml'),
    `services: { tunnel: { environment: { TUNNEL_EDGE: "${edge.connectors}" } } }\n`,
  )
  const settings = {
    ...{ COMPOSE_PROFILES: 'caddy,tunnel', COMPOSE_FILE: 'compose.yaml:compose.ingress.yaml:lab.yaml' },
    ...{ TAPPASS_NAMES: address, TUNNEL_TOKEN: tunnelToken() },
  }
  const file = join(clone(), '.env.prod')
  const text = (await readFile(file, 'utf8')).replace(/^TUNNEL_TOKEN=.*\n/m, '')
  await writeFile(
    file,
    `${text}${Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('')}`,
  )
  await compose('up --detach --wait --wait-timeout 120')
  await assert.rejects(globalThis.fetch(url('/health/live')), 'the gateway itself is published')

  // By the command of the page.
  await compose('cp caddy:/data/caddy/pki/authorities/local/root.crt .')
  const ca = await readFile(join(clone(), 'root.crt'), 'utf8')
  const dispatcher = new Agent({ connect: { ca } })
  const through = ((input: string, init?: object) =>
    fetchWith(input, { ...init, dispatcher })) as unknown as typeof globalThis.fetch
  reach = { base: `https://${address}`, fetch: through }
  client = openai()
  assert.equal(await call(), 'You said: good day')
  const plain = await globalThis.fetch(`http://${address}/docs?x=1`, { redirect: 'manual' })
  assert.deepEqual([plain.status, plain.headers.get('location')], [308, `https://${address}/docs?x=1`])
  assert.equal(await tunnelledStatus('/health'), 200)

  const content = 'The weather is fine and we go for a walk in the park today. '.repeat(8)
  const stream = await client.chat.completions.create({
    model: 'm',
    stream: true,
    messages: [{ role: 'user', content }],
  })
  const arrivalsMs: number[] = []
  for await (const piece of stream) if (piece.choices[0]?.delta.content) arrivalsMs.push(performance.now())
  const lastedMs = (arrivalsMs.at(-1) ?? 0) - (arrivalsMs[0] ?? 0)
  assert.ok(lastedMs > 10 * PAUSE_MS, `all of a stream came within ${lastedMs} ms`)

  const published = await inside(server, `docker ps --format '{{.Names}} {{.Ports}}' | grep -- '->' | sort`)
  assert.match(published, /^tappass-caddy-1 \S+:80->8080\/tcp, \S+:443->8443\/tcp$/)
  // A process may end while it is read.
  const processes = 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || :'
  const shown = await inside(server, `docker inspect tappass-tunnel-1; ${processes}`)
  assert.ok(shown.includes('cloudflared\0tunnel\0'), 'the processes were not read')
  assert.ok(!shown.includes(tunnelToken()), 'the token of the tunnel is shown')
  const rights = `docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}}' tappass-caddy-1 tappass-tunnel-1`
  assert.match(
    await inside(server, rights),
    /^65530:65530 true \[ALL\] \[(CAP_)?NET_BIND_SERVICE\]\n65529:65529 true \[ALL\] \[\]$/,
  )
  assert.equal(
    await inside(
      server,
      `awk '/^CapEff/ { print $2 }' "/proc/$(docker inspect --format '{{.State.Pid}}' tappass-caddy-1)/status"`,
    ),
    '0000000000000000',
  )
})

test('caddy and tunnel are killed: they are back by themselves', async (context) => {
  for (const [service, isBack] of [
    ['caddy', () => call()],
    ['tunnel', async () => (await tunnelledStatus('/health')) === 200],
  ] as const) {
    await kill(service)
    context.diagnostic(`${service} killed: calls are answered again after ${await outageMs(isBack)} ms`)
  }
})

test('after a reboot of the machine all is back by itself', async (context) => {
  const beforehand = await entries()
  await reboot(server.machine.name)
  context.diagnostic(`rebooted: calls are answered ${await outageMs()} ms after SSH is`)
  assert.ok((await entries()) > beforehand)
})

test('the dump of the page is whole', async () => {
  const page = await readFile(join(clone(), 'docs/how-to/compose.md'), 'utf8')
  const [command = ''] = /^docker compose .* exec -T postgres pg_dump .*$/m.exec(page) ?? []
  const list = 'docker exec -i tappass-postgres-1 pg_restore --list <tappass.dump'
  assert.match(await inside(server, `cd /root/tappass && ${command} && ${list}`), / TABLE DATA public audit_events /)
})

test('down and up: the ledger, the agent and its key are there; a new password of the database is taken', async () => {
  const beforehand = await entries()
  await compose('down')
  const file = join(clone(), '.env.prod')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(/^POSTGRES_PASSWORD=.*$/m, `POSTGRES_PASSWORD=${'another'.repeat(4)}`))
  await compose('up --detach --wait --wait-timeout 120')
  assert.equal(await call(), 'You said: good day')
  assert.ok((await entries()) > beforehand)
})

test('a secret without a value: nothing is started, and it is named', async () => {
  await compose('down')
  const file = join(clone(), '.env.prod')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(/^TAPPASS_VAULT_KEY=.*$/m, 'TAPPASS_VAULT_KEY='))
  const { code } = await run(server.machine, 'cd /root/tappass && docker compose --env-file .env.prod up --detach 2>&1')
  assert.notEqual(code, 0)
  assert.match(await compose('logs --no-color secrets'), /no value in the environment file: TAPPASS_VAULT_KEY$/m)
  assert.equal(await inside(server, 'docker ps --quiet --filter name=postgres --filter name=gateway'), '')
})
