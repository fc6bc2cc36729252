/** From a bare machine to a governed call, once, and what must hold of the server that came out. One machine for all. Takes 5 minutes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { APIError } from 'openai'
import { armCommand, GUARD_SECONDS } from '../../scripts/core/guard.ts'
import { findLeaks, placeLabels } from './leak.ts'
import { fromOutside, run } from './machine.ts'
import { machineAddress6 } from './network.ts'
import { ensureHttp3Client } from './program.ts'
import {
  assertNothingToDo,
  bodiesOutside,
  bootstrap,
  bootstrappedServer,
  bootstrapWords,
  type Door,
  door,
  eventsOf,
  hostWords,
  inside,
  killUnitOfRun,
  machineWords,
  mainPids,
  plan,
  repository,
  type Server,
  secretOf,
  toolkit,
  untilHealthy,
  writeSpec,
} from './server.ts'
import { ANSWER_PORT, answeringAddresses, startAnswering } from './web-answer.ts'

let server: Server
let through: Door

before(async () => {
  server = await bootstrappedServer('proof-spine')
  through = await door(server)
})
after(async () => {
  await through?.close()
  await server?.close()
})

const units = [
  'tappass.target',
  'tappass.socket',
  'tappass@1.service',
  'tappass@2.service',
  'tappass-postgres.service',
  'tappass-redis.service',
  'tappass-migrate.service',
  'tappass-caddy.service',
  'tappass-backup.timer',
  'tappass-firewall.service',
]

test('bare to healthy: every unit is active, and the system says running', async () => {
  assert.deepEqual(
    (await inside(server, `systemctl is-active ${units.join(' ')}`)).split('\n'),
    units.map(() => 'active'),
  )
  assert.equal(await inside(server, 'systemctl is-system-running'), 'running')
})

test('/health answers 200 through TLS, and plain HTTP leads there', async () => {
  const response = await through.fetch(through.url('/health'))
  assert.equal(response.status, 200)
  assert.equal(((await response.json()) as { status: string }).status, 'healthy')
  const plain = await fetch(`http://${server.machine.address}/health`, { redirect: 'manual' })
  assert.deepEqual([plain.status, plain.headers.get('location')], [308, through.url('/health')])
  for (const [name, value] of [
    ['strict-transport-security', 'max-age=31536000'],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
  ] as const)
    assert.equal(response.headers.get(name), value)
})

test('a governed call: an OpenAI client is answered, a private key in a tool message is not let out, the ledger has both', async () => {
  const { client } = await through.agent('spine')
  const model = 'lab'
  const question = 'What do the quarterly figures say?'
  const whole = await client.chat.completions.create({ model, messages: [{ role: 'user', content: question }] })
  assert.equal(whole.choices[0]?.message.content, `You said: ${question}`)

  const stream = await client.chat.completions.create({
    model,
    stream: true,
    messages: [{ role: 'user', content: question }],
  })
  let streamed = ''
  for await (const piece of stream) streamed += piece.choices[0]?.delta.content ?? ''
  assert.equal(streamed, `You said: ${question}`)
  assert.equal((await bodiesOutside(server)).filter((body) => body.includes(question)).length, 2)

  const block = ['-----BEGIN RSA', 'PRIVATE KEY-----\n'].join(' ')
  const key = `${block}${'MIIEpAIBAAKCAQEA7bq9'.repeat(20)}\n${block.replace('BEGIN', 'END')}`
  const call = { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{}' } } as const
  const refused = client.chat.completions.create({
    model,
    messages: [
      { role: 'user', content: 'Read the file.' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: key },
    ],
  })
  await assert.rejects(refused, (error: APIError) => error instanceof APIError && error.status === 403)
  assert.equal(
    (await bodiesOutside(server)).some((body) => body.includes('PRIVATE KEY')),
    false,
  )

  const psql =
    'docker exec tappass-postgres psql --host /tappass/run --username postgres --dbname tappass --tuples-only --no-align'
  const rows = await inside(
    server,
    `${psql} --command "SELECT decision FROM audit_events WHERE agent_id = 'spine' ORDER BY ts"`,
  )
  assert.ok(rows.includes('allow'), rows)
  assert.ok(rows.includes('block'), rows)
  assert.equal((await through.admin('/audit/integrity')).status, 200)
})

test('the ledger is signed outside its database, and its verification over SSH says so', async () => {
  const verify = () => toolkit(['audit', 'verify', ...hostWords(server), '--json'])
  const { code, stdout, stderr } = await verify()
  assert.equal(code, 0, `${stdout}${stderr}`)
  const { status, signed, entries } = JSON.parse(stdout) as { status: string; signed: number; entries: number }
  assert.equal(status, 'intact')
  assert.ok(signed > 2 && signed <= entries, stdout)
  assert.match(await inside(server, 'stat -c "%U %a" /var/lib/tappass/checkpoints'), /^tappass 700$/)
  assert.match(await inside(server, 'journalctl --unit=tappass@1 --output=cat'), /tappass\/1-[0-9A-Z]{26}\\n\d+\\n/)
})

const opaUnit = async (): Promise<string> => {
  const listed = await inside(server, "systemctl list-units --plain --no-legend 'tappass-opa@*' | cut -d ' ' -f 1")
  assert.match(listed, /^tappass-opa@[0-9a-f]{12}\.service$/)
  return listed
}

test('OPA decides: without it calls are refused with 503 and recorded, and it is said; with it they are answered again', async () => {
  const { client } = await through.agent('judged')
  const ask = () => client.chat.completions.create({ model: 'lab', messages: [{ role: 'user', content: 'hello' }] })
  const opaOf = async () => {
    const { body } = await through.admin('/health/detailed')
    const { policyEngine, checks } = body as Readonly<{
      policyEngine: string
      checks: Record<string, { error?: string }>
    }>
    return [policyEngine, checks['opa']?.error]
  }
  await ask()
  assert.deepEqual(await opaOf(), ['opa', undefined])
  const unit = await opaUnit()
  assert.match(
    await inside(server, `journalctl --sync; journalctl --unit=${unit} --output=cat`),
    /"Decision Log".*|.*"judged"/,
  )
  assert.equal(
    await inside(server, `systemd-analyze security --no-pager --threshold=15 ${unit} >/dev/null && echo fine`),
    'fine',
  )
  await inside(server, `systemctl stop ${unit}`)
  await assert.rejects(ask(), (error: APIError) => error instanceof APIError && error.status === 503)
  assert.deepEqual(await opaOf(), ['opa', 'OpaError OPA_UNREACHABLE'])
  const status = await toolkit(['status', ...machineWords(server)])
  assert.equal(status.code, 1)
  assert.match(status.stdout, new RegExp(`${unit} !`))
  const { body } = await through.admin('/audit?limit=50')
  assert.match(JSON.stringify(body), /"judged".*policy\.unavailable|policy\.unavailable.*"judged"/)
  await inside(server, `systemctl start ${unit}`)
  await untilHealthy(server)
  await ask()
})

test('a second run over SSH changes nothing, restarts nothing, and takes one round trip', async () => {
  const pids = await mainPids(server)
  const events = eventsOf(await bootstrap(server))
  const finished = events.find(({ event }) => event === 'run-finished')
  assert.ok(finished?.event === 'run-finished')
  const { outcome, applied, remaining, roundTrips } = finished
  assert.deepEqual(
    { outcome, applied, remaining, roundTrips },
    { outcome: 'up-to-date', applied: 0, remaining: 0, roundTrips: 1 },
    JSON.stringify(events), // why the host was asked more than once
  )
  await assertNothingToDo(server)
  assert.deepEqual(await mainPids(server), pids)
})

test('the units pass systemd-analyze: verify is silent, the gateway’s exposure is 1.5 at most', async () => {
  const verified = await inside(
    server,
    'cd /etc/systemd/system && systemd-analyze verify tappass.target tappass.socket tappass*.service tappass*.timer 2>&1',
  )
  assert.equal(verified, '')
  for (const unit of [
    'tappass@1.service',
    'tappass-migrate.service',
    'tappass-caddy.service',
    'tappass-backup.service',
  ])
    await inside(server, `systemd-analyze security --no-pager --threshold=15 ${unit} >/dev/null`)
})

/** Which of these TCP ports answer from outside, over IPv4 and IPv6. */
const openFromOutside = async (ports: readonly number[]): Promise<readonly (readonly number[])[]> => {
  const program = new URL('open-ports.ts', import.meta.url).pathname
  const number = Number(server.machine.address.split('.')[2])
  const answers = [server.machine.address, machineAddress6(number)].map(async (address) => {
    const { stdout } = await fromOutside([process.execPath, program, address, ...ports.map(String)])
    return JSON.parse(stdout) as readonly number[]
  })
  return await Promise.all(answers)
}

test('from outside only 22, 80 and 443 answer, over IPv4 and IPv6, whatever listens inside', async () => {
  const listening = await inside(server, 'ss -Hltn | awk \'{ sub(/.*:/, "", $4); print $4 }\' | sort -un')
  // Those of the playbook's table, of everything that listens inside, and the well-known ones.
  const ports = [5432, 6379, 8081, 8181, 9411, 9620, 9621, ...listening.split('\n').map(Number)]
  assert.ok(listening.includes('9620'), listening)
  const all = [...new Set([...Array.from({ length: 1024 }, (_, index) => index + 1), ...ports])]
  assert.deepEqual(await openFromOutside(all), [
    [22, 80, 443],
    [22, 80, 443],
  ])
})

test('HTTP/3 answers from outside over IPv4 and IPv6, until the setting turns it off', async () => {
  const client = await ensureHttp3Client()
  const number = Number(server.machine.address.split('.')[2])
  const answers = async () =>
    await Promise.all(
      [server.machine.address, `[${machineAddress6(number)}]`].map(async (host) => {
        const { code, stdout } = await fromOutside([client, 'get', `https://${host}/health`])
        const { protocol, status } = code === 0 ? JSON.parse(stdout) : { protocol: 'none', status: code }
        return `${protocol} ${status}`
      }),
    )
  const advertised = async () => (await through.fetch(through.url('/health'))).headers.get('alt-svc')
  assert.deepEqual([await advertised(), await answers()], ['h3=":443"; ma=2592000', ['HTTP/3.0 200', 'HTTP/3.0 200']])
  await withSetting({ ingress: { http3: false } })
  await bootstrap(server)
  assert.equal(await inside(server, 'nft list table inet tappass | grep -c "udp dport 443" || true'), '0')
  assert.deepEqual([await advertised(), await answers()], [null, ['none 1', 'none 1']])
  await withSetting({})
  await bootstrap(server)
})

/** A program of somebody else, and a container that publishes a port: both came after the packet filter. */
const START_PROGRAM = `systemd-run --quiet --unit=other python3 -c "import socket as s; l = s.create_server(('::', 8099), family=s.AF_INET6, dualstack_ipv6=True)
while 1: l.accept()[0].close()"`
const START_OTHERS = `${START_PROGRAM}
image=$(docker images --format '{{.Repository}}:{{.Tag}}' | grep redis | head -1)
docker run --detach --rm --name other --publish 0.0.0.0:8098:6379 --publish '[::]:8098:6379' "$image" redis-server --protected-mode no >/dev/null`
const STOP_OTHERS = 'docker kill other >/dev/null; systemctl stop other'

const withSetting = (setting: Readonly<Record<string, unknown>>) =>
  writeSpec(server, (spec) => ({
    ...{ ...spec, ...setting },
    gateway: { callsMax: 1_000_000, upstream: server.upstream.url },
  }))
const withFirewall = (firewall: unknown) => withSetting({ firewall })
const allowing = (allow: readonly unknown[]) => withFirewall({ allow })

test('the packet filter: programs and containers are closed until the settings let them in, and edits by hand are seen', async () => {
  await inside(server, START_OTHERS)
  const ports = [443, 8098, 8099]
  assert.deepEqual(await openFromOutside(ports), [[443], [443]])
  await withFirewall('none')
  await bootstrap(server)
  // Docker's networks have no IPv6 here, and nobody listens for them.
  assert.deepEqual(await openFromOutside(ports), [ports, [443, 8099]])
  await allowing([])
  const refused = await plan(server)
  const reasons = refused.events.flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual([refused.code, reasons.length], [5, 1], JSON.stringify(reasons))
  assert.match(reasons[0]?.what ?? '', /in use: 8098\/tcp \(container other\), 8099\/tcp \(python3\)$/)
  await allowing([{ port: 8098 }, { port: 8099, from: ['10.77.0.0/16'] }])
  await bootstrap(server)
  assert.deepEqual(await openFromOutside(ports), [ports, [443]])
  await allowing([])
  await bootstrap(server)
  assert.deepEqual(await openFromOutside(ports), [[443], [443]])
  for (const edit of ['nft insert rule inet tappass input tcp dport 8099 accept', 'nft flush ruleset']) {
    await inside(server, edit)
    assert.equal((await plan(server)).code, 2, edit)
    await bootstrap(server)
    assert.equal((await plan(server)).code, 0)
    assert.deepEqual(await openFromOutside([443, 8099]), [[443], [443]])
  }
  // The emptied ruleset had Docker's own rules, too.
  await inside(server, `${STOP_OTHERS}; systemctl restart docker`)
})

/** Who answers the machine at an address or name, over IPv4 and IPv6; empty where nobody is reached. */
const reached = async (four: string, six = four): Promise<readonly string[]> => {
  const urls = [`-4 http://${four}`, `-6 http://${six.includes(':') ? `[${six}]` : six}`]
  const asked = urls.map((url) => `echo "[$(curl -s -m 5 ${url}:${ANSWER_PORT}/)]"`).join('\n')
  return [...(await inside(server, asked)).matchAll(/^\[(.*)\]$/gm)].map(([, who = '']) => who)
}

test('what goes out: closed but for names that are followed and kept, containers too', async () => {
  const stop = await startAnswering()
  try {
    const { host, outside } = answeringAddresses(Number(server.machine.address.split('.')[2]))
    const [host4 = '', host6 = ''] = host
    const [outside4 = '', outside6 = ''] = outside
    const name = (addresses: readonly string[], each: string) =>
      addresses.map((address) => `echo '${address} ${each}' >>/etc/hosts`).join('; ')
    await inside(server, `cp /etc/hosts /root/hosts; ${name(host, 'let.example')}; ${name(outside, 'other.example')}`)
    assert.deepEqual(
      [await reached('let.example'), await reached('other.example')],
      [
        ['host', 'host'],
        ['outside', 'outside'],
      ],
    )
    await withFirewall({ outbound: [{ port: ANSWER_PORT, to: ['let.example'] }] })
    await bootstrap(server)
    assert.deepEqual(
      [await reached('let.example'), await reached('other.example')],
      [
        ['host', 'host'],
        ['', ''],
      ],
    )
    const ofContainer = (address: string) =>
      `image=$(docker images --format '{{.Repository}}:{{.Tag}}' | grep redis | head -1)
      docker run --rm "$image" redis-cli -h ${address} -p ${ANSWER_PORT} ping 2>&1 || :`
    assert.match(await inside(server, ofContainer(host4)), /Protocol error/)
    assert.match(await inside(server, ofContainer(outside4)), /Could not connect/)
    // The model server's address is let out by itself.
    const { client } = await through.agent('outbound')
    const messages = [{ role: 'user' as const, content: 'are you there' }]
    assert.ok(await client.chat.completions.create({ model: 'gpt-4o', messages }))

    const status = await toolkit(['status', ...machineWords(server)])
    assert.equal(status.code, 0, status.stdout)
    // The name moves: followed without a run, and the old address stays open for those that know no other.
    await inside(server, `cp /root/hosts /etc/hosts; ${name(outside, 'let.example')}; systemctl start tappass-outbound`)
    const both = async () => [await reached('let.example'), await reached(host4, host6)]
    assert.deepEqual(await both(), [
      ['outside', 'outside'],
      ['host', 'host'],
    ])
    // Neither is it a change for a plan.
    await assertNothingToDo(server)
    // Nobody resolves anything any more: what was known stays, also when the rules are loaded anew, and it is said.
    await inside(
      server,
      `cp /root/hosts /etc/hosts; cp /etc/resolv.conf /root/resolv.conf
      printf 'nameserver 192.0.2.1\noptions timeout:1 attempts:1\n' >/etc/resolv.conf
      systemctl start tappass-outbound; systemctl restart nftables`,
    )
    const known = async () => [await reached(outside4, outside6), await reached(host4, host6)]
    assert.deepEqual(await known(), [
      ['outside', 'outside'],
      ['host', 'host'],
    ])
    assert.match(await inside(server, 'journalctl -u tappass-outbound -o cat'), /^let\.example does not resolve/m)
    const doctor = await toolkit(['doctor', ...machineWords(server), '--json'])
    assert.match(doctor.stdout, /"network\.outbound"[^}]*let\.example/)
    await inside(server, 'cp /root/resolv.conf /etc/resolv.conf; systemctl start tappass-outbound')
    await allowing([])
    await bootstrap(server)
    assert.deepEqual(await known(), [
      ['outside', 'outside'],
      ['host', 'host'],
    ])
    assert.equal(await inside(server, 'ls -d /etc/tappass/outbound /var/lib/tappass/outbound 2>/dev/null | wc -l'), '0')
  } finally {
    stop()
  }
})

/** Another hand's setting, with which our rules let no new login in. */
const CUT = '/etc/systemd/system/tappass-firewall.service.d/cut.conf'
const CUT_RULE = 'nft insert rule inet tappass input ct state new tcp dport 22 reject with tcp reset'

test('a change that cuts the operator off is put back by the host: exit 3, and the host is reached as before', async () => {
  await inside(
    server,
    `mkdir -p ${CUT.replace(/\/[^/]*$/, '')}; printf '[Service]\nExecReload=/usr/sbin/${CUT_RULE}\n' >${CUT}; systemctl daemon-reload`,
  )
  const before = await inside(server, 'cat /etc/tappass/firewall.nft')
  await allowing([{ port: 8097 }])
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json'])
  assert.equal(output.code, 3, output.stdout)
  const failed = eventsOf(output).find(({ event }) => event === 'step-failed')
  assert.ok(failed?.event === 'step-failed' && failed.failure.isPutBack === true)
  assert.match(failed.failure.output.join('\n'), /no new connection: .*\nwhat was there before was put back/s)
  assert.equal(await inside(server, 'cat /etc/tappass/firewall.nft'), before)
  await inside(
    server,
    `rm ${CUT}; systemctl daemon-reload; systemctl reload tappass-firewall; ls /var/lib/tappass-guard`,
  )
  await bootstrap(server)
  assert.equal((await plan(server)).code, 0)
})

test('a run that is killed before it confirms: the next one finds what was put back, or puts it back first', async () => {
  const putBack = async () => await inside(server, 'journalctl -t tappass-guard -o cat | grep -c "put back" || true')
  await allowing([])
  await bootstrap(server)
  const [before, rules] = [Number(await putBack()), await inside(server, 'cat /etc/tappass/firewall.nft')]
  // The change takes a while, in which the run is killed.
  await inside(
    server,
    `mkdir -p ${CUT.slice(0, CUT.lastIndexOf('/'))}; printf '[Service]\nExecReload=/bin/sleep 3\n' >${CUT}; systemctl daemon-reload`,
  )
  await allowing([{ port: 8096 }])
  const child = spawn(process.execPath, bootstrapWords(server), { cwd: repository, stdio: 'ignore' })
  const ended = once(child, 'exit')
  await inside(
    server,
    'for i in $(seq 600); do nft list chain inet tappass input | grep -q 8096 && exit 0; sleep 0.1; done; exit 1',
  )
  child.kill('SIGKILL')
  assert.deepEqual(await ended, [null, 'SIGKILL'])
  await killUnitOfRun(server)
  await inside(server, `rm ${CUT}; systemctl daemon-reload`)
  await allowing([])
  await bootstrap(server)
  assert.equal(Number(await putBack()), before + 1)
  assert.equal(
    await inside(server, 'cat /etc/tappass/firewall.nft; ls /var/lib/tappass-guard/pending 2>&1 | wc -l'),
    `${rules}\n1`,
  )
  await assertNothingToDo(server)
})

test('nobody confirms: the host’s own timer puts back what was there before', async () => {
  const { argv, stdin } = armCommand({
    paths: ['/etc/motd', '/etc/tappass/firewall.nft'],
    units: ['tappass-firewall.service'],
  })
  const [program, ...rest] = argv
  const words = [program, ...rest.map((word) => (word === `${GUARD_SECONDS}` ? '2' : word))] as const
  const { code, stderr } = await run(server.machine, words, { stdin: String(stdin) })
  assert.equal(code, 0, stderr)
  await inside(server, 'echo other >/etc/motd; rm /etc/tappass/firewall.nft; systemctl stop tappass-firewall')
  await inside(
    server,
    'for i in $(seq 60); do [ -d /var/lib/tappass-guard/pending ] || exit 0; sleep 0.5; done; exit 1',
  )
  assert.equal(
    await inside(server, 'systemctl is-active tappass-firewall; cat /etc/motd | grep -c other || true'),
    'active\n0',
  )
  assert.match(await inside(server, 'journalctl -t tappass-guard -o cat'), /a change was not confirmed/)
  assert.equal((await plan(server)).code, 0)
})

test('firewalld: it lets in what the settings say, ours goes while it is active, and comes back after it', async () => {
  await inside(
    server,
    'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends firewalld >/dev/null; systemctl start firewalld',
  )
  const client = await ensureHttp3Client()
  const overHttp3 = async () =>
    (await fromOutside([client, 'get', `https://${server.machine.address}/health`], { timeoutMs: 20_000 })).code
  await allowing([{ port: 8099 }])
  await bootstrap(server)
  const ours = 'nft list tables | grep -c tappass; systemctl is-enabled tappass-firewall 2>&1 | tail -1'
  assert.match(await inside(server, `${ours}; :`), /^0\nnot-found$/)
  assert.equal(
    await inside(server, 'firewall-cmd --info-service=tappass | sed -n "s/^ *ports: //p" | tr " " "\n" | sort | xargs'),
    '443/tcp 443/udp 80/tcp 8099/tcp',
  )
  // Docker's own rules are gone with firewalld's start, until Docker starts anew: a program is enough here.
  await inside(server, START_PROGRAM)
  const ports = [22, 80, 443, 5432, 8099, 9620]
  assert.deepEqual(
    [await openFromOutside(ports), await overHttp3()],
    [
      [
        [22, 80, 443, 8099],
        [22, 80, 443, 8099],
      ],
      0,
    ],
  )
  await assertNothingToDo(server)
  await allowing([])
  await bootstrap(server)
  assert.deepEqual(await openFromOutside(ports), [
    [22, 80, 443],
    [22, 80, 443],
  ])
  // What its one rule can't say is refused with the commands to type.
  for (const [setting, what] of [
    [{ allow: [{ port: 53, protocol: 'udp' }] }, /firewalld is active, and firewall\.allow has rules/],
    [{ outbound: [] }, /firewalld is active, and firewall\.outbound closes/],
  ] as const) {
    await withFirewall(setting)
    const { code, events } = await plan(server)
    const reasons = events.flatMap((event) => (event.event === 'refused' ? event.reasons : []))
    assert.deepEqual([code, reasons.length], [5, 1], JSON.stringify(reasons))
    assert.match(reasons[0]?.what ?? '', what)
  }
  await inside(server, 'systemctl stop other')
  await inside(
    server,
    'DEBIAN_FRONTEND=noninteractive apt-get purge -qq --yes firewalld >/dev/null; systemctl restart docker',
  )
  await allowing([])
  await bootstrap(server)
  assert.deepEqual(await openFromOutside(ports), [
    [22, 80, 443],
    [22, 80, 443],
  ])
  await assertNothingToDo(server)
})

test('the timer is due at 03:17 UTC, and a quarter of an hour later at most', async () => {
  const next = await inside(
    server,
    'systemctl show --property=NextElapseUSecRealtime --value --timestamp=utc tappass-backup.timer',
  )
  assert.match(next, / 03:(1[7-9]|2\d|3[0-2]):\d\d UTC$/)
})

const secretIds = [
  'tappass-admin-api-key',
  'tappass-jwt-secret',
  'tappass-vault-key',
  'tappass-token-key',
  'tappass-checkpoint-key',
  'postgres-password',
  'postgres-owner-password',
]

test('no secret is to be seen anywhere, and the same search finds a canary', async () => {
  const values = await Promise.all(secretIds.map(async (id) => [id, await secretOf(server, id)] as const))
  const secrets = Object.fromEntries(values)
  await inside(server, 'systemctl start tappass-backup.service')
  assert.deepEqual(await findLeaks(server, secrets, { plan: JSON.stringify((await plan(server)).events) }), [])

  const canary = ['canary', crypto.randomUUID()].join('-')
  const planted = [
    `systemd-run --quiet --property=Type=exec --unit=tappass-canary --setenv=CANARY=${canary} sh -c 'sleep infinity; true' ${canary}`,
    `docker run --detach --name canary --network none --env CANARY=${canary} --entrypoint echo redis:7.4.11-alpine ${canary}`,
    `echo ${canary} | systemd-cat --identifier=canary`,
    `echo '# ${canary}' >>/etc/tappass/redis/redis.conf`,
    `touch /var/lib/tappass/backup/${canary}`,
    `echo ${canary} >/tmp/canary`,
    'docker wait canary',
    'journalctl --sync',
  ]
  await inside(server, planted.join('\n'))
  let found: readonly string[]
  try {
    found = await findLeaks(server, { canary }, { plan: JSON.stringify((await plan(server)).events) })
  } finally {
    await inside(
      server,
      `systemctl stop tappass-canary; docker rm --force canary; rm /tmp/canary /var/lib/tappass/backup/${canary}`,
    )
    await bootstrap(server)
  }
  assert.deepEqual(
    found,
    [...placeLabels, 'plan'].map((place) => `${place}: canary`),
  )
})

test('no role of the database is a superuser, and the gateway’s can’t touch what keeps the ledger append-only', async () => {
  const asRole = (role: string, sql: string) =>
    inside(
      server,
      `docker exec --interactive tappass-postgres psql --no-psqlrc --host /tappass/run --username postgres -qAt --dbname tappass <<'SQL' 2>&1
SET SESSION AUTHORIZATION ${role}; ${sql}
SQL`,
    )
  const roles = await asRole(
    'postgres',
    `SELECT rolname, rolsuper FROM pg_roles WHERE rolname LIKE 'tappass%' ORDER BY 1`,
  )
  assert.equal(roles, 'tappass|f\ntappass_archive|f\ntappass_backup|f\ntappass_owner|f')
  for (const sql of [
    'DROP TRIGGER audit_events_append_only ON audit_events',
    'CREATE TABLE mine ()',
    'DELETE FROM audit_events',
  ])
    assert.match(await asRole('tappass', sql), /must be owner|permission denied/)
  assert.equal((await toolkit(['migrate', 'verify', ...hostWords(server)])).code, 0)
})

test('a gateway reads its own secrets, and not the password of the owner of its tables', async () => {
  const readAsGateway = (path: string) =>
    inside(
      server,
      `nsenter --target $(systemctl show --property=MainPID --value tappass@1) --mount setpriv --reuid=tappass --regid=tappass --clear-groups wc -c ${path} 2>&1; true`,
    )
  assert.match(await readAsGateway('/run/credentials/tappass@1.service/postgres-password'), /^\d\d /)
  for (const path of [
    '/run/credentials/tappass-migrate.service/postgres-owner-password',
    '/run/credentials/tappass@1.service/postgres-owner-password',
    '/etc/credstore.encrypted/postgres-owner-password',
  ])
    assert.match(await readAsGateway(path), /No such file|Permission denied/, path)
})

test('Redis does what the gateway needs for the gateway’s user, and nothing for anybody else', async () => {
  const redis = (words: string) =>
    inside(server, `docker exec tappass-redis redis-cli -s /tappass/run/redis.sock ${words} 2>&1`)
  assert.match(await redis('ping'), /^NOAUTH/)
  assert.match(await redis('--user tappass --pass none --no-auth-warning flushall'), /^NOPERM/)
})

test('the backup that the timer’s service made restores into another database as its owner, with the same rows', async () => {
  await inside(server, 'systemctl start tappass-backup.service')
  const set = await inside(server, 'ls /var/lib/tappass/backup | grep "^tappass-.*Z$" | tail -1')
  // Every table with its number of rows, and the ledger's own content.
  const rows = `SELECT format('SELECT %L || count(*) FROM %I', table_name || '=', table_name) FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name \\gexec
    SELECT md5(string_agg(entry || hash, '' ORDER BY chain, seq)) FROM audit_events;`
  const ask = `psql --no-psqlrc --username postgres --tuples-only --no-align <<'SQL'\n${rows}\nSQL`
  const rowsOf = (database: string) =>
    `docker exec --interactive tappass-postgres ${ask.replace('psql ', `psql --host /tappass/run --dbname ${database} `)}`
  const beside = await toolkit(['backup', 'restore', set, '--database', 'tappass_look', ...machineWords(server)])
  assert.equal(beside.code, 0, beside.stderr)
  const restored = await inside(server, rowsOf('tappass_look'))
  assert.match(restored, /^audit_events=[1-9]/m)
  assert.equal(restored, await inside(server, rowsOf('tappass')))
})

test('status: what is wanted, what it stands on, and 1 for what is not well; on the server itself it can be typed as it is told', async () => {
  const lines = (text: string) => text.replaceAll(/ +/g, ' ')
  const remote = await toolkit(['status', ...hostWords(server)])
  assert.equal(remote.code, 0, `${remote.stdout}${remote.stderr}`)
  for (const [name, state] of [
    ['gateway', 'healthy'],
    [
      'backup',
      String.raw`\S+Z, \d+ min old, \d+ bytes, restored as a proof in \S+ s, without secrets: there is no backup\.recoveryKey`,
    ],
    ['disk', String.raw`/\S*: \d+ MB free`],
    ['certificate', String.raw`\d+ (h|min) left`],
    ['clock', 'kept by the machine that this container runs on'],
    ['docker', String.raw`\d+\.\d+\S*`],
  ] as const)
    assert.match(lines(remote.stdout), new RegExp(`^${name} ${state}$`, 'm'))

  // As a person types it there, from any folder.
  const typed = (words: string) =>
    run(server.machine, `cd /srv && env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin tappass ${words}`)
  for (const words of ['status', 'migrate status', 'agent list', 'audit verify', 'version']) {
    const { code, stdout, stderr } = await typed(words)
    assert.equal(code, 0, `${words}: ${stdout}${stderr}`)
  }
  const up = await typed('up --no-input')
  assert.equal(up.code, 5)
  assert.match(up.stderr, /^ {2}next: {2}tappass status$/m)

  await inside(server, 'systemctl stop tappass-backup.timer')
  const { code, stdout, stderr } = await typed('status')
  assert.equal(code, 1, stdout)
  assert.match(stdout, /^tappass-backup\.timer ! /m)
  assert.match(stderr, /unhealthy: tappass-backup\.timer/)
  await inside(server, 'systemctl start tappass-backup.timer')
  await assertNothingToDo(server)
})

test('doctor: nothing is wrong with it; what is broken is named with what to do, and the exit code is 1', async () => {
  const look = async () => {
    const output = await toolkit(['doctor', ...machineWords(server), '--json'])
    const found = eventsOf(output).flatMap((event) => (event.event === 'checks' ? event.checks : []))
    return { code: output.code, wrong: found.filter(({ status }) => status === 'fail'), found }
  }
  const well = await look()
  assert.deepEqual([well.code, well.wrong], [0, []])
  assert.ok(well.found.filter(({ status }) => status === 'ok').length >= 90)
  const vault = '/etc/credstore.encrypted/tappass-vault-key'
  await inside(
    server,
    `cp -a ${vault} /root/vault && echo x >${vault} && chmod 666 /etc/tappass/tappass.yaml && chmod 755 /var/lib/tappass/backup
    docker exec tappass-postgres psql --host /tappass/run --username postgres --quiet --command 'ALTER ROLE tappass SUPERUSER'
    systemctl stop tappass-caddy`,
  )
  const broken = await look()
  assert.equal(broken.code, 1)
  const ids = broken.wrong.map(({ id }) => id)
  for (const id of [
    'files.settings',
    'files.backups',
    'secrets.readable',
    'units.running',
    'database.superuser',
    'ingress.through',
    'outside.https',
  ])
    assert.ok(ids.includes(id), `${id}: ${ids}`)
  await inside(
    server,
    `mv /root/vault ${vault}
    docker exec tappass-postgres psql --host /tappass/run --username postgres --quiet --command 'ALTER ROLE tappass NOSUPERUSER'`,
  )
  await bootstrap(server)
  assert.deepEqual((await look()).wrong, [])
})

test('logs: what a service writes comes as it is written, over SSH; Ctrl-C ends it on both sides', async () => {
  const words = ['logs', 'backup', '--follow', '--lines', '0', ...machineWords(server)]
  const following = spawn(process.execPath, ['scripts/cli.ts', ...words], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => following.once('exit', resolve))
  await inside(server, 'until pgrep -x journalctl >/dev/null; do sleep 0.1; done')
  const line = new Promise<string>((resolve) => following.stdout.once('data', (chunk) => resolve(String(chunk))))
  await inside(server, `systemd-run --quiet --wait --unit tappass-backup-standby.service printf 'drill \\033[2J\\n'`)
  assert.match(await line, /^20\S+Z tappass-backup-standby /)
  following.kill('SIGINT')
  assert.equal(await ended, 130)
  await inside(server, 'while pgrep -x journalctl >/dev/null; do sleep 0.1; done')
  const told = await toolkit(['logs', 'backup', '--since', '2m', ...machineWords(server)])
  assert.match(told.stdout, / tappass-backup-standby drill \\u\{1b\}\[2J$/m)
})

test('the first start of Docker fails, as it may at boot: PostgreSQL and Redis come back by themselves', async () => {
  // A failed start of the engine is none of the databases; its own Restart= brings all of them.
  await inside(
    server,
    `mkdir -p /run/systemd/system/docker.service.d
cat >/run/systemd/system/docker.service.d/once.conf <<'END'
[Service]
ExecStartPre=/bin/sh -c 'test -e /run/was-down || { touch /run/was-down; exit 1; }'
END
systemctl daemon-reload && systemctl stop tappass.target docker.service docker.socket && systemctl start tappass.target`,
  )
  await untilHealthy(server)
  await inside(server, 'test -e /run/was-down && rm -r /run/systemd/system/docker.service.d && systemctl daemon-reload')
  const units = 'tappass-postgres tappass-redis tappass@1 tappass@2'
  assert.equal(await inside(server, `systemctl is-active ${units}`), 'active\nactive\nactive\nactive')
})

test('a forced command in authorized_keys, as cloud images have it for root: exit 6, its words, and the host to type', async () => {
  const keys = '/root/.ssh/authorized_keys'
  await inside(
    server,
    `cat >/root/forced <<'END'
echo 'Please login as the user "ubuntu" rather than the user "root".'
exit 142
END
cp -p ${keys} ${keys}.kept && sed -i 's|^|command="sh /root/forced" |' ${keys}`,
  )
  try {
    const { code, stdout, stderr } = await toolkit(['status', ...hostWords(server)])
    assert.equal(code, 6, `${stdout}${stderr}`)
    assert.match(stderr, /Please login as the user "ubuntu" rather than the user "root"/)
    assert.match(stderr, /next: {2}connect as that user: --host ubuntu@/)
  } finally {
    await inside(server, `mv ${keys}.kept ${keys}`)
  }
  await assertNothingToDo(server)
})

test('the key of the administrator is in no JSON; it stays to be shown, and a run without --json shows it once', async () => {
  const key = await secretOf(server, 'tappass-admin-api-key')
  const named = async () => {
    const output = await bootstrap(server)
    assert.ok(!`${output.stdout}${output.stderr}`.includes(key))
    return eventsOf(output).flatMap((event) => (event.event === 'secret' ? [event.id] : []))
  }
  assert.deepEqual(await named(), ['tappass-admin-api-key'])
  const shown = await toolkit(['bootstrap', ...hostWords(server), '--yes'])
  assert.deepEqual([shown.code, shown.stdout], [0, `${key}\n`], shown.stderr)
  assert.deepEqual(await named(), [])
})

test('an engine that hangs ends a run with the question that it does not answer, an sshd that hangs with no answer; nothing is left running', async () => {
  await inside(server, 'systemctl kill --kill-whom=main --signal=STOP docker.service')
  const [asked, unreached] = await Promise.all([
    plan(server),
    // The connection of the first run is served by a process of its own.
    inside(server, 'until pgrep -f "^docker image inspect" >/dev/null; do sleep 0.1; done')
      .then(() => inside(server, 'systemctl kill --kill-whom=main --signal=STOP ssh.service'))
      .then(() => plan(server))
      .finally(() => inside(server, 'systemctl kill --kill-whom=main --signal=CONT ssh.service')),
  ])
  const failureOf = ({ events }: typeof asked) =>
    events.flatMap((event) => (event.event === 'error' ? [event.failure] : []))[0]
  assert.deepEqual([asked.code, failureOf(asked)?.what], [1, 'the host did not answer within 30 s'])
  assert.match(failureOf(asked)?.why ?? '', /^no answer to: docker image inspect /)
  assert.equal(unreached.code, 6)
  assert.match(failureOf(unreached)?.why ?? '', /Timed out|no response/)
  assert.equal(await inside(server, 'pgrep -f "^docker image inspect" || true'), '')
  await inside(server, 'systemctl kill --kill-whom=main --signal=CONT docker.service')
  await assertNothingToDo(server)
})
