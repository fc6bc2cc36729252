/**
 * A machine that somebody uses already, with a Docker, nginx on 80 and ufw on: refused as it is, then served beside them, changed under load,
 * and left. Takes 5 minutes.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import OpenAI from 'openai'
import { Agent, fetch } from 'undici'
import type { FailureText } from '../../scripts/core/failure.ts'
import { KEY_CACHE_TTL_MS } from '../../server/access/key-cache.ts'
import { compareFileTrees, readFileTree } from './file-tree.ts'
import {
  ADD_OLD_SOURCE,
  ADD_SNAP,
  addForeignDocker,
  FOREIGN_PORT,
  foreignPid,
  INSTALL_VENDORS,
} from './foreign-docker.ts'
import { fromOutside, hostAddressOf } from './machine.ts'
import { machineAddress6 } from './network.ts'
import { ensureTunnelProgram } from './program.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  type Door,
  door,
  eventsOf,
  hostWords,
  inside,
  machineWords,
  mainPids,
  plan,
  type Server,
  secretOf,
  toolkit,
  writeSpec,
} from './server.ts'
import { type StorageServer, startStorage } from './storage-server.ts'
import { startEdge, TUNNEL, tunnelCredentials } from './tunnel-process.ts'

let server: Server
let through: Door
let storage: StorageServer | undefined

/** A piece of a stream each tenth of a second. */
const pieceMs = 100

before(async () => {
  server = await bareServer('proof-beside', pieceMs)
  await inside(
    server,
    `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends ufw nginx-light >/dev/null
    ufw allow 22/tcp && ufw allow 80/tcp && ufw --force enable && systemctl stop nginx`,
  )
})
after(async () => {
  await through?.close()
  await storage?.close()
  await server?.close()
})

const ELSEWHERE = { database: 'external' }
const ADOPTED = { source: 'distribution', adopt: true }

const configure = (ingress: unknown, docker: unknown = ADOPTED, storage = {}): Promise<void> =>
  writeSpec(server, (spec) => ({
    ...spec,
    ...{ ingress, docker, storage, gateway: { callsMax: 1_000_000, upstream: server.upstream.url } },
  }))

/** Which of these ports answer from outside, over IPv4 and IPv6. */
const openPorts = async (): Promise<readonly number[]> => {
  const program = new URL('open-ports.ts', import.meta.url).pathname
  const ports = ['22', '80', '443', '8080', '9620']
  const number = Number(server.machine.address.split('.')[2])
  const [ipv4, ipv6] = await Promise.all(
    [server.machine.address, machineAddress6(number)].map(async (address) => {
      const { stdout } = await fromOutside([process.execPath, program, address, ...ports])
      return JSON.parse(stdout) as readonly number[]
    }),
  )
  assert.deepEqual(ipv4, ipv6)
  return ipv4 ?? []
}

/** Whether the container of somebody else answers from outside, and its main process. */
const foreignState = async () => {
  const program = new URL('open-ports.ts', import.meta.url).pathname
  const { stdout } = await fromOutside([process.execPath, program, server.machine.address, `${FOREIGN_PORT}`])
  return { isAnswering: stdout.trim() === `[${FOREIGN_PORT}]`, pid: await foreignPid(server) }
}

/** Runs a bootstrap that has to be refused, and gives the reasons. No file may be another one afterwards. */
const refusals = async (): Promise<readonly FailureText[]> => {
  const read = () =>
    readFileTree(
      server.machine,
      ['/etc', '/opt', '/usr/local', '/var/lib', '/home'],
      /^\/var\/lib\/(docker|containerd|systemd)(\/|$)/,
    )
  const before = await read()
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json'])
  assert.equal(output.code, 5, `${output.stdout}${output.stderr}`)
  assert.deepEqual(compareFileTrees(before, await read()), [])
  return eventsOf(output).flatMap((event) => (event.event === 'refused' ? event.reasons : []))
}

/** `undo` leaves the machine as it was before `make`. */
const states = [
  {
    name: 'the old source of the vendor’s repository',
    make: ADD_OLD_SOURCE,
    source: 'vendor',
    says: [/another source of apt names the repository/],
    undo: 'rm -r /etc/apt/sources.list.d/docker.list /etc/apt/keyrings/docker.gpg',
  },
  {
    name: 'the vendor’s packages, where the distribution’s are wanted',
    make: INSTALL_VENDORS,
    source: 'distribution',
    says: [/another Docker on this host: docker-ce, docker-ce-cli, containerd\.io/],
    undo: 'dpkg --purge docker-ce docker-ce-cli containerd.io; rm -r /tmp/docker-ce* /tmp/containerd.io*',
  },
  {
    name: 'a snap',
    make: ADD_SNAP,
    source: 'distribution',
    says: [/Docker is here as a snap/],
    undo: 'systemctl stop snap.docker.dockerd; rm -r /snap /run/docker.sock',
  },
] as const

for (const { name, make, source, says, undo } of states) {
  test(`a Docker that is there already, ${name}: refused, and nothing is touched`, async () => {
    await configure({ http: 8080 }, { source })
    await inside(server, make)
    const reasons = await refusals()
    assert.equal(reasons.length, says.length, JSON.stringify(reasons))
    for (const [index, text] of says.entries()) assert.match(reasons[index]?.what ?? '', text)
    await inside(server, undo)
  })
}

test('a Docker with settings and a container of somebody else: refused with every reason, and the container goes on', async () => {
  await addForeignDocker(server)
  const { pid } = await foreignState()
  await configure({ http: 8080 }, { source: 'vendor' })
  const reasons = await refusals()
  assert.deepEqual(
    reasons.map(({ what }) => what),
    [
      'there is another Docker on this host: docker.io, docker-cli, containerd, runc',
      'the Docker of this host has containers of somebody else',
      '/etc/docker/daemon.json has settings of somebody else',
    ],
  )
  assert.match(reasons[1]?.next ?? '', /docker\.adopt: true/)
  assert.deepEqual(await foreignState(), { isAnswering: true, pid })
})

test('nginx on 80: refused with what holds the port and the ways out, and nothing is touched', async () => {
  await inside(server, 'systemctl start nginx')
  await configure({})
  const reasons = await refusals()
  assert.deepEqual(
    reasons.map(({ what }) => what),
    ['port 80 is in use'],
  )
  assert.match(reasons[0]?.why ?? '', /nginx \(nginx\.service\)/)
  assert.match(reasons[0]?.next ?? '', /ingress: \{ http: 8080.*ingress: none.*if nothing needs nginx\.service/)
})

test('on another port beside nginx, with the Docker that is there: it ends well, its container and settings stay, ufw lets the ingress in', async () => {
  await configure({ http: 8080 })
  const before = [await foreignState(), await inside(server, 'cat /etc/docker/daemon.json')]
  const events = eventsOf(await bootstrap(server))
  const actions = events.flatMap((event) => (event.event === 'plan' ? event.changes.map(({ action }) => action) : []))
  assert.ok(actions.includes('allow 8080/tcp and 443/tcp and 443/udp in ufw'), actions.join('\n'))
  assert.deepEqual(await openPorts(), [22, 80, 443, 8080])
  assert.deepEqual([await foreignState(), await inside(server, 'cat /etc/docker/daemon.json')], before)
  assert.equal(await inside(server, 'systemctl is-active nginx'), 'active')
  await assertNothingToDo(server)
  through = await door(server)
  const moved = await fetch(`http://${server.machine.address}:8080/health`, { redirect: 'manual' })
  assert.equal(moved.headers.get('location'), through.url('/health'))
})

/** Asks for /health on a connection of its own. Gives the error, or undefined. */
const probe = (ca: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const options = { host: server.machine.address, path: '/health', agent: false, ca } as const
    const asking = request(options, (response) => {
      response.resume().once('end', () => resolve(response.statusCode === 200 ? undefined : `${response.statusCode}`))
    })
    asking.once('error', ({ message }) => resolve(message)).end()
  })

test('ports and names change while a stream is open: no connection is refused, the stream ends whole', async () => {
  const { client } = await through.agent('beside')
  const ca = await inside(server, 'cat /var/lib/tappass/caddy/caddy/pki/authorities/local/root.crt')
  await inside(server, 'systemctl disable --now nginx')
  await configure({ names: ['gw.lan'] })
  const pids = await mainPids(server)
  let isChanging = true
  const failures: string[] = []
  let probes = 0
  const probing = async (): Promise<void> => {
    for (; isChanging; probes += 1) {
      const failure = await probe(ca)
      if (failure !== undefined) failures.push(failure)
      await pause(50)
    }
  }
  const weeks = Array.from(
    { length: 10 },
    (_, index) => `The northern branch sold ${index + 3} boats in week ${index + 1} of the year.`,
  )
  const question = weeks.join(' ')
  const messages = [{ role: 'user', content: question }] as const
  const stream = await client.chat.completions.create({ model: 'lab', stream: true, messages: [...messages] })
  const reading = (async () => {
    let text = ''
    for await (const piece of stream) text += piece.choices[0]?.delta.content ?? ''
    return { text, endedAt: Date.now() }
  })()
  const changing = bootstrap(server).finally(() => {
    isChanging = false
  })
  const [{ text, endedAt }] = await Promise.all([reading, changing.then(() => Date.now()), probing()])
  assert.equal(text, `You said: ${question}`)
  assert.deepEqual(failures, [])
  assert.ok(probes > 20, `${probes}`)
  // It was no luck: the rule on who gets new connections was set each time.
  const journal = await inside(server, "journalctl --no-pager --output=cat --unit='tappass-caddy*'")
  assert.doesNotMatch(journal, /^(process \d+|file \d+|the rule|oldest or newest|Can't open perl)/m)
  assert.notEqual((await mainPids(server))['tappass-caddy'], pids['tappass-caddy'])
  // The old process went on for as long as the stream did.
  const startedAt = await inside(
    server,
    'systemctl show --property=ExecMainStartTimestamp --value --timestamp=unix tappass-caddy',
  )
  assert.ok(Number(startedAt.slice(1)) >= Math.floor(endedAt / 1000) - 1, `${startedAt} ${endedAt}`)
  assert.deepEqual(await openPorts(), [22, 80, 443])
  await assertNothingToDo(server)
  assert.equal((await toolkit(['status', ...hostWords(server).slice(0, 6)])).code, 0)
})

const LONG_QUESTION = {
  role: 'user',
  content: Array.from(
    { length: 7 },
    (_, index) => `The southern branch sold ${index + 3} boats in week ${index} of it.`,
  ).join(' '),
} as const

/** Streams a long answer of the model through a client, and gives its text. */
const readStream = async (client: OpenAI): Promise<string> => {
  const stream = await client.chat.completions.create({ model: 'lab', stream: true, messages: [LONG_QUESTION] })
  let text = ''
  for await (const piece of stream) text += piece.choices[0]?.delta.content ?? ''
  return text
}

test('from Caddy to a tunnel and back, each while streams of the other one are open: both end whole, each serves at once', async () => {
  const { key, client } = await through.agent('tunnel')
  const host = await hostAddressOf(server.machine)
  const edge = await startEdge(host)
  after(() => edge.stop())
  const credentials = join(server.folder, 'credentials.json')
  await writeFile(credentials, tunnelCredentials())
  await inside(
    server,
    `mkdir -p /etc/systemd/system/tappass-tunnel@.service.d
    printf '[Service]\nEnvironment=TUNNEL_EDGE=%s\n' ${edge.connectors} >/etc/systemd/system/tappass-tunnel@.service.d/lab.conf`,
  )
  const archive = await ensureTunnelProgram('cloudflared')
  const configureLive = (live: string): Promise<void> =>
    writeSpec(server, (spec) => ({
      ...{ ...spec, docker: ADOPTED, cloudflared: { archive } },
      ingress: { kind: 'both', live, tunnel: { id: TUNNEL.id, routes: [{ hostname: 'gw.example.com' }] } },
      gateway: { callsMax: 1_000_000, upstream: server.upstream.url },
    }))
  const dispatcher = new Agent({
    connect: { lookup: (_, __, callback) => callback(null, [{ address: host, family: 4 }]) },
  })
  after(() => dispatcher.close())
  const via: typeof fetch = (input, init) => fetch(input, { ...init, dispatcher })
  const tunnelled = new OpenAI({
    ...{ apiKey: key, baseURL: `http://gw.example.com:${edge.clients.split(':')[1]}/v1`, maxRetries: 0 },
    fetch: via as unknown as typeof globalThis.fetch,
  })
  await configureLive('tunnel')
  const first = readStream(client)
  await bootstrap(server, '--secret', `tunnel-credentials=${credentials}`)
  assert.equal(await first, `You said: ${LONG_QUESTION.content}`)
  assert.deepEqual(await openPorts(), [22])
  const status = await toolkit(['status', ...hostWords(server).slice(0, 6)])
  assert.match(status.stdout, /^tunnel +2 of 2 connectors, 8 connections/m)
  assert.equal(status.code, 0, status.stdout)
  await assertNothingToDo(server)
  const seen = await inside(
    server,
    'for pid in $(pgrep -x cloudflared); do cat /proc/$pid/cmdline /proc/$pid/environ; done',
  )
  assert.ok(seen.includes('--credentials-file') && !seen.includes(TUNNEL.secret))
  await configureLive('caddy')
  const second = readStream(tunnelled)
  await bootstrap(server)
  assert.equal(await second, `You said: ${LONG_QUESTION.content}`)
  assert.deepEqual(await openPorts(), [22, 80, 443])
  await assertNothingToDo(server)
})

test('the gateway reaches no metadata service, and everything else on the host does', async () => {
  const ask = 'curl -s -o /dev/null --max-time 1 -w "%{exitcode} " http://169.254.169.254:8/'
  const codes = await inside(
    server,
    `ip address add 169.254.169.254/32 dev lo
    ${ask} || true
    group=$(systemctl show --property=ControlGroup --value tappass@1.service)
    for root in /sys/fs/cgroup/unified /sys/fs/cgroup /sys/fs/cgroup/systemd; do [ ! -e "$root$group/cgroup.procs" ] || break; done
    (sh -c 'echo $PPID' >"$root$group/cgroup.procs"; ${ask} || true)
    ip address del 169.254.169.254/32 dev lo`,
  )
  // 7: refused, there is nothing; 28: no answer came back.
  assert.equal(codes, '7 28')
})

test('`tappass agent` over SSH: added, listed, revoked, and the admin key never leaves the host', async () => {
  const adminKey = await secretOf(server, 'tappass-admin-api-key')
  const agent = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await toolkit(['agent', ...words, ...hostWords(server), '--json'])
    assert.equal(code, 0, stderr)
    assert.equal(`${stdout}${stderr}`.includes(adminKey), false)
    return stdout
  }
  const { key } = JSON.parse(await agent('add', 'over-ssh'))
  const models = () => through.fetch(through.url('/v1/models'), { headers: { authorization: `Bearer ${key}` } })
  assert.equal((await models()).status, 200)
  assert.match(await agent('list'), /"agent_id":"over-ssh"/)
  await agent('revoke', 'over-ssh')
  await pause(KEY_CACHE_TTL_MS + 100) // for that long the other instance may believe a key
  assert.equal((await models()).status, 401)
})

/** Runs the work, and prints for how long calls were refused meanwhile. */
const tellOutage = async <Value>(work: () => Promise<Value>): Promise<Value> => {
  let isMoving = true
  const outage: number[] = []
  const watching = (async () => {
    for (; isMoving; await pause(50))
      if ((await through.fetch(through.url('/health')).catch(() => undefined))?.status !== 200) outage.push(Date.now())
  })()
  try {
    return await work()
  } finally {
    isMoving = false
    await watching
    process.stderr.write(`# calls were refused for ${(outage.at(-1) ?? 0) - (outage[0] ?? 0)} ms\n`)
  }
}

/** One governed call of the agent whose data are moved. */
const callOf = async (client: OpenAI): Promise<string | null | undefined> => {
  const messages = [{ role: 'user', content: 'good day' }] as const
  return (await client.chat.completions.create({ model: 'lab', messages: [...messages] })).choices[0]?.message.content
}

const ownRows = async (sql: string): Promise<string> =>
  inside(server, `docker exec tappass-postgres psql -h /tappass/run -U postgres -d tappass -Atc "${sql}"`)
const ENTRIES = 'SELECT count(*) FROM audit_events'

let mover: OpenAI

test('its data to a database elsewhere: refused unasked, a failure leaves the old one serving, then all of it is there', async () => {
  // The next test moves them back.
  storage = await startStorage(server)
  const { database } = storage
  const words = (await storage.words()).slice(0, 4)
  await configure({ names: ['gw.lan'] }, ADOPTED, ELSEWHERE)
  mover = (await through.agent('mover')).client
  await callOf(mover)
  const asked = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json', ...words])
  const reasons = eventsOf(asked).flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual([asked.code, reasons.length], [5, 1], asked.stdout)
  assert.match(`${reasons[0]?.what} ${reasons[0]?.next}`, /left behind.*--data move.*--data leave/s)

  // Somebody else's table, of which the preflight knows nothing.
  await database.superuser('CREATE TABLE theirs (one integer)', 'tappass')
  const failed = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json', ...words, '--data', 'move'])
  assert.equal(failed.code, 1, failed.stdout)
  assert.match(failed.stdout, /is not empty: there is theirs/)
  await callOf(mover)
  await database.superuser('DROP TABLE theirs', 'tappass')

  const before = Number(await ownRows(ENTRIES))
  const moved = await tellOutage(() => bootstrap(server, ...words, '--data', 'move'))
  assert.match(moved.stdout, /copied: \d+ rows in \d+ tables, each the same; ledger intact/)
  assert.ok(Number(await database.superuser(ENTRIES, 'tappass')) >= before)
  // The agent of before, with the key of before.
  assert.equal(await callOf(mover), 'You said: good day')
  const verified = await toolkit(['audit', 'verify', ...hostWords(server), '--json'])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  assert.equal(
    await inside(server, 'ls -d /var/lib/tappass/postgres/cluster; systemctl is-active tappass-postgres || :'),
    '/var/lib/tappass/postgres/cluster\ninactive',
  )
  await assertNothingToDo(server)
})

test('its data back into the container: refused unasked, a failure leaves the other one serving, then all of it is here, and nobody writes there', async () => {
  const database = storage?.database
  assert.ok(database)
  await configure({ names: ['gw.lan'] }, ADOPTED)
  const asked = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json'])
  const reasons = eventsOf(asked).flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual([asked.code, reasons.length], [5, 1], asked.stdout)
  assert.match(`${reasons[0]?.what} ${reasons[0]?.next}`, /left behind.*--data move.*--data leave/s)

  await database.superuser('CREATE TABLE theirs (one integer)', 'tappass')
  const failed = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json', '--data', 'move'])
  assert.equal(failed.code, 1, failed.stdout)
  assert.match(failed.stdout, /is not the one that its migrations have made: .*theirs/)
  await callOf(mover)
  await database.superuser('DROP TABLE theirs', 'tappass')

  const before = Number(await database.superuser(ENTRIES, 'tappass'))
  const moved = await tellOutage(() => bootstrap(server, '--data', 'move'))
  assert.match(moved.stdout, /copied: \d+ rows in \d+ tables, each the same; ledger intact/)
  assert.equal(await callOf(mover), 'You said: good day')
  assert.ok(Number(await ownRows(ENTRIES)) > before)
  await assert.rejects(
    database.superuser('SET ROLE serving; DELETE FROM session_taints', 'tappass'),
    /were moved from this database/,
  )
  // What was here when the data went is not what is in force, and is kept under the name that such databases have.
  const earlier = await ownRows(`SELECT datname FROM pg_database WHERE datname LIKE 'tappass\\_before\\_%'`)
  assert.match(earlier, /^tappass_before_\d{8}t\d{6}z$/)
  const listed = await toolkit(['backup', 'list', ...hostWords(server)])
  assert.ok(listed.stdout.includes(earlier), listed.stdout + listed.stderr)
  const verified = await toolkit(['audit', 'verify', ...hostWords(server), '--json'])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  await assertNothingToDo(server)
})

test('without an ingress: Caddy goes, ufw is as it was, and the gateway answers on loopback', async () => {
  await configure('none', ADOPTED)
  await bootstrap(server)
  assert.deepEqual(await openPorts(), [22])
  assert.doesNotMatch(await inside(server, 'ufw status'), /TapPass/)
  assert.equal(await inside(server, `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9620/health`), '200')
  await assertNothingToDo(server)
})

test('without the word that adopts it, the Docker of somebody else is refused on a server of ours, too', async () => {
  await configure('none', { source: 'distribution' })
  const { code, events } = await plan(server)
  const reasons = events.flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual([code, reasons.length], [5, 2], JSON.stringify(reasons))
  assert.equal((await foreignState()).isAnswering, true)
})

test('uninstalled: the Docker of somebody else, its settings, image and container, nginx and ufw are as they were', async () => {
  const { pid } = await foreignState()
  const settings = await inside(server, 'cat /etc/docker/daemon.json')
  const output = await toolkit(['uninstall', ...machineWords(server), '--yes', '--data'])
  assert.equal(output.code, 0, `${output.stdout.slice(-3000)}${output.stderr.slice(-3000)}`)
  assert.deepEqual(await foreignState(), { isAnswering: true, pid })
  assert.equal(await inside(server, 'cat /etc/docker/daemon.json'), settings)
  assert.equal(
    await inside(server, "docker ps --all --format '{{.Names}}'; docker image ls --format x | wc -l"),
    'shop\n1',
  )
  assert.doesNotMatch(await inside(server, 'ufw status; ls /etc/ufw/applications.d; ls -d /etc/nginx'), /tappass/i)
  assert.equal(
    await inside(
      server,
      'ls -d /etc/tappass /opt/tappass /var/lib/tappass /etc/credstore.encrypted/tappass* 2>/dev/null | wc -l',
    ),
    '0',
  )
})
