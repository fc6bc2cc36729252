/** Identities on a booted machine, with SPIRE's own server and agent: bare to issued, what is refused, what heals, what comes back. Takes 6 minutes. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { unpackTar } from 'modern-tar'
import { recoveryPair } from '../../contract/recovery-key.ts'
import { decryptWith } from '../../server/backups/recovery-key.ts'
import { run } from './machine.ts'
import { ensureSpiffeHelperArchive } from './program.ts'
import { rootPath } from './root.ts'
import {
  bareServer,
  bootstrap,
  door,
  hostWords,
  inside,
  machineWords,
  plan,
  type Server,
  toolkit,
  writeSpec,
} from './server.ts'
import { ensureSpireArchive } from './spire-program.ts'

const DOMAIN = 'lab.example'
const PLANNER = `spiffe://${DOMAIN}/agents/planner`
const SCHEDULER = `spiffe://${DOMAIN}/agents/scheduler`
const GATEWAY = `spiffe://${DOMAIN}/tappass/gateway`
/** Of join tokens (spire-attestation.ts). */
const TOKEN_SECONDS = 60

const recovery = recoveryPair(generateKeyPairSync('x25519').privateKey)
let server: Server
const identity = {
  trustDomain: DOMAIN,
  x509SvidMinutes: 2,
  workloads: [
    { id: PLANNER, selectors: ['unix:user:planner'] },
    { id: SCHEDULER, selectors: ['systemd:id:lab-scheduler.service'], jwtSvidMinutes: 1 },
  ],
}

const writeIdentity = async (wanted: unknown): Promise<void> => {
  const archives = {
    spire: { archive: await ensureSpireArchive() },
    spiffeHelper: { archive: await ensureSpiffeHelperArchive() },
  }
  const gateway = { callsMax: 1_000_000, upstream: server.upstream.url }
  await writeSpec(server, (spec) => ({
    ...spec,
    ...archives,
    gateway,
    backup: { recoveryKey: recovery.recipient },
    ...(wanted === undefined ? {} : { identity: wanted }),
  }))
}

before(async () => {
  server = await bareServer('proof-identity', 0, { tree: 'docker' })
  await writeIdentity(identity)
  await bootstrap(server)
  await inside(server, 'useradd --system planner')
})
after(() => server?.close())

const AGENT = '/opt/tappass/spire/current/bin/spire-agent'
const SERVER = '/opt/tappass/spire/current/bin/spire-server'
const SOCKET = '-socketPath /run/tappass/spire-server/api.sock'
const WORKLOAD_API = '-socketPath /run/tappass/spire-agent/api.sock'
const ASK = `${AGENT} api fetch x509 ${WORKLOAD_API}`
const PLANNER_ASKS = 'setpriv --reuid planner --regid planner --clear-groups'

/** Whom the agent sees in a process, by what it says to it; waits for entries that are on their way. */
const askAs = (how: string): Promise<string> =>
  inside(
    server,
    `for try in $(seq 30); do ${how} ${ASK} 2>&1 | grep -o 'spiffe://.*' && exit; sleep 0.5; done; echo nobody`,
  )

const changesOf = async (): Promise<readonly string[]> =>
  (await plan(server)).events.flatMap((event) =>
    event.event === 'plan' ? event.changes.map(({ resource, action }) => `${resource}: ${action}`) : [],
  )

const entryIds = (): Promise<string> => inside(server, `${SERVER} entry show ${SOCKET} | grep '^Entry ID' | sort`)

test('a bare machine issues identities, and a second run has nothing to do', async () => {
  const units = 'tappass-spire-server tappass-spire-agent tappass-spiffe-helper tappass-spiffe.socket'
  assert.equal(await inside(server, `systemctl is-active ${units}`), 'active\nactive\nactive\nactive')
  assert.deepEqual(await changesOf(), [])
  const { stdout } = await toolkit(['status', ...machineWords(server)])
  for (const name of ['tappass-spire-server', 'tappass-spire-agent', 'tappass-spiffe-helper'])
    assert.match(stdout, new RegExp(name))
})

test('a backup holds what SPIRE’s server has, sealed: a database that is whole, and its keys', async () => {
  const taken = await toolkit(['backup', 'create', ...machineWords(server)])
  assert.equal(taken.code, 0, taken.stdout + taken.stderr)
  const sealed = Buffer.from(
    await inside(server, 'base64 -w0 /var/lib/tappass/backup/tappass-*Z/spire-server.age'),
    'base64',
  )
  const tar = await buffer(Readable.from(decryptWith(recovery.identity, Readable.from([sealed]))))
  const files = new Map((await unpackTar(tar)).map(({ header, data }) => [header.name, data] as const))
  assert.ok(files.has('keys.json'), [...files.keys()].join())
  const path = join(server.folder, 'datastore.sqlite3')
  await writeFile(path, files.get('datastore.sqlite3') ?? '')
  const datastore = new DatabaseSync(path, { readOnly: true })
  const read = (sql: string) => Object.values(datastore.prepare(sql).get() ?? {})
  assert.deepEqual(read('PRAGMA integrity_check'), ['ok'])
  assert.deepEqual(read(`SELECT count(*) FROM registered_entries WHERE spiffe_id = '${PLANNER}'`), [1])
  datastore.close()
})

test("the gateway's SVID lies where only its group reads it", async () => {
  assert.equal(
    await inside(server, `cd /run/tappass-svid; stat -c '%n %a %U %G' . *`),
    [
      '. 750 tappass-svid tappass',
      'jwt_bundle.json 640 tappass-svid tappass',
      'svid.pem 640 tappass-svid tappass',
      'svid_bundle.pem 640 tappass-svid tappass',
      'svid_key.pem 640 tappass-svid tappass',
    ].join('\n'),
  )
  assert.match(
    await inside(server, 'openssl x509 -in /run/tappass-svid/svid.pem -noout -ext subjectAltName'),
    new RegExp(`DNS:localhost, URI:spiffe://${DOMAIN}/tappass/gateway$`),
  )
  assert.match(
    await inside(server, `cat /run/tappass-svid/jwt_bundle.json`),
    new RegExp(`^{"${DOMAIN}":"[A-Za-z0-9+/=]+"}$`),
  )
})

test('a workload gets its own SVID, by account or by unit, and nobody else gets any', async () => {
  assert.equal(await askAs('setpriv --reuid planner --regid planner --clear-groups'), PLANNER)
  assert.equal(await askAs('systemd-run --quiet --pipe --wait --collect --unit=lab-scheduler'), SCHEDULER)
  assert.equal(
    await askAs('setpriv --reuid tappass-opa --regid tappass-opa --clear-groups'),
    `spiffe://${DOMAIN}/tappass/opa`,
  )
  for (const account of ['nobody', 'tappass', 'tappass-agent', 'root']) {
    const { code, stdout } = await run(server.machine, `setpriv --reuid ${account} --clear-groups ${ASK} 2>&1`)
    assert.notEqual(code, 0, account)
    assert.match(stdout, /no identity issued/, account)
  }
})

test('an agent of the host calls with its certificate or its token, and without a registration with neither', async () => {
  const through = await door(server)
  assert.equal((await through.admin('/agents', { agent_id: 'planner', spiffe_id: PLANNER })).status, 201)
  await through.close()
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hello' }] })
  const call = `curl -s -o /dev/null -w '%{http_code} ' -H 'content-type: application/json' -d '${body}'`
  const calls = `cd "$(mktemp -d)"; ${AGENT} api fetch x509 ${WORKLOAD_API} -write . >/dev/null
    ${call} --cacert bundle.0.pem --cert svid.0.pem --key svid.0.key https://localhost:9621/v1/chat/completions
    token=$(${AGENT} api fetch jwt ${WORKLOAD_API} -audience ${GATEWAY} | sed -n '2s/^\\s*//p')
    ${call} -H "authorization: Bearer $token" http://localhost:9620/v1/chat/completions`
  await writeFile(join(rootPath(server.machine.name), 'srv/calls.sh'), calls)
  const callAs = (how: string) => inside(server, `${how} sh -eu /srv/calls.sh`)
  assert.equal(await callAs(PLANNER_ASKS), '200 200')
  assert.equal(await callAs('systemd-run --quiet --pipe --wait --collect --unit=lab-scheduler'), '401 401')
})

const authority = (which: 'active' | 'prepared' | 'old'): Promise<string> =>
  inside(
    server,
    `${SERVER} localauthority x509 show ${SOCKET} -output json | sed -n 's/.*"${which}":{"authority_id":"\\([0-9a-f]*\\)".*/\\1/p'`,
  )
const trusted = async (): Promise<number> =>
  Number(await inside(server, `${SERVER} bundle show ${SOCKET} | grep -c BEGIN`))

test('the authority is rotated: the next one is trusted first, then signs; one that was exposed is trusted no more, and no call fails', async (context) => {
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hello' }] })
  const calling = `cd "$(mktemp -d)"; tries=0; failed=0
    while [ -e /run/calling ]; do tries=$((tries + 1)); ${AGENT} api fetch x509 ${WORKLOAD_API} -write . >/dev/null
      code=$(curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/json' -d '${body}' \\
        --cacert bundle.0.pem --cert svid.0.pem --key svid.0.key https://localhost:9621/v1/chat/completions) || :
      [ "$code" = 200 ] || { failed=$((failed + 1)); echo "$code"; }; done; echo "$failed of $tries"`
  await writeFile(join(rootPath(server.machine.name), 'srv/calling.sh'), calling)
  await inside(server, 'touch /run/calling')
  const counting = inside(server, `${PLANNER_ASKS} sh -u /srv/calling.sh`)
  const rotate = async (...words: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await toolkit([
      'secrets',
      'rotate',
      'spire-ca',
      ...hostWords(server),
      '--yes',
      '--json',
      ...words,
    ])
    assert.equal(code, 0, stdout + stderr)
  }
  const kept = '/run/kept'
  try {
    const first = await authority('active')
    await inside(server, `install -d -o planner ${kept} && ${PLANNER_ASKS} ${ASK} -write ${kept}`)
    await rotate('--older-than', '0s')
    const second = await authority('prepared')
    assert.deepEqual([await authority('active'), await trusted(), second !== ''], [first, 2, true])
    await rotate('--finish')
    assert.deepEqual([await authority('active'), await authority('old'), await trusted()], [second, first, 2])
    await rotate('--compromised')
    assert.ok(![first, second].includes(await authority('active')))
    assert.equal(await trusted(), 1)
  } finally {
    await inside(server, 'rm /run/calling')
  }
  const said = await counting
  context.diagnostic(`calls with an SVID that failed: ${said}`)
  assert.match(said, /^0 of [1-9]\d{2,}$/)
  // What the exposed authority has signed is worth nothing.
  const old = `curl -s -o /dev/null -w '%{http_code}' --cacert /run/tappass-svid/svid_bundle.pem --cert ${kept}/svid.0.pem --key ${kept}/svid.0.key`
  assert.notEqual(await inside(server, `${old} -d '${body}' https://localhost:9621/v1/chat/completions || :`), '200')
  assert.equal(await askAs(PLANNER_ASKS), PLANNER)
  assert.deepEqual(await changesOf(), [])
})

const HOST_ENTRIES = `spire-entries:spiffe://${DOMAIN}/tappass/host`
const ON_HOST = `-parentID spiffe://${DOMAIN}/tappass/host`

/** `changes` is what the disturbance is answered by. */
const rows: readonly Readonly<{ name: string; disturb: () => Promise<unknown>; changes: readonly string[] }>[] = [
  {
    name: 'entries that were deleted, changed, and given more than an SVID by hand, beside one of somebody else',
    disturb: () =>
      inside(
        server,
        `id() { ${SERVER} entry show ${SOCKET} -spiffeID "$1" | sed -n 's/^Entry ID *: //p'; }
        ${SERVER} entry delete ${SOCKET} -entryID "$(id ${PLANNER})"
        ${SERVER} entry update ${SOCKET} -entryID "$(id ${SCHEDULER})" -spiffeID ${SCHEDULER} ${ON_HOST} \
          -selector systemd:id:lab-scheduler.service -x509SVIDTTL 3600 -jwtSVIDTTL 60
        ${SERVER} entry update ${SOCKET} -entryID "$(id ${GATEWAY})" -spiffeID ${GATEWAY} ${ON_HOST} \
          -selector unix:user:tappass-svid -dns localhost -admin
        ${SERVER} entry create ${SOCKET} -entryID theirs -spiffeID spiffe://${DOMAIN}/theirs ${ON_HOST} -selector unix:uid:4242`,
      ),
    changes: [
      `${HOST_ENTRIES}: update the entry of ${GATEWAY}`,
      `${HOST_ENTRIES}: create the entry of ${PLANNER}`,
      `${HOST_ENTRIES}: update the entry of ${SCHEDULER}`,
    ],
  },
  {
    name: 'a workload that is not in the settings any more',
    disturb: () => writeIdentity({ ...identity, workloads: identity.workloads.slice(0, 1) }),
    changes: [
      'file:/etc/tappass/spire/agent.conf: write /etc/tappass/spire/agent.conf',
      `${HOST_ENTRIES}: delete the entry of ${SCHEDULER}`,
      'unit:tappass-spire-agent.service: write /etc/systemd/system/tappass-spire-agent.service',
      'unit:tappass-spire-agent.service: restart tappass-spire-agent.service',
      'file:/etc/tappass/tappass.yaml: write /etc/tappass/tappass.yaml',
    ],
  },
  {
    name: "the agent's data are gone",
    disturb: () =>
      inside(server, 'rm -rf /var/lib/tappass/spire-agent/*; systemctl restart --no-block tappass-spire-agent'),
    changes: [
      'spire-attestation:agent: attest the SPIRE agent with a new join token',
      `${HOST_ENTRIES}: update the entry of spiffe://${DOMAIN}/tappass/host`,
      'unit:tappass-spire-agent.service: start tappass-spire-agent.service',
    ],
  },
]

for (const { name, disturb, changes } of rows) {
  test(`drift: ${name}`, async () => {
    await disturb()
    assert.deepEqual(await changesOf(), changes)
    await bootstrap(server)
    assert.deepEqual(await changesOf(), [])
    assert.equal(await askAs(PLANNER_ASKS), PLANNER)
    assert.match(await entryIds(), /: theirs$/m)
  })
}

test('a server that lost its folder goes on with a copy of it', async () => {
  const before = await entryIds()
  await inside(
    server,
    `systemctl stop tappass-spire-server; cp -a /var/lib/tappass/spire-server /root/copy; rm -rf /var/lib/tappass/spire-server
    mv /root/copy /var/lib/tappass/spire-server; systemctl start tappass-spire-server`,
  )
  assert.equal(await entryIds(), before)
  assert.deepEqual(await changesOf(), [])
})

test("the gateway's SVID is renewed, and an agent starts again with what it has after its token has expired", async () => {
  const serial = 'openssl x509 -in /run/tappass-svid/svid.pem -noout -serial'
  await inside(
    server,
    `first=$(${serial}); for try in $(seq 240); do [ "$(${serial})" = "$first" ] || exit 0; sleep 0.5; done; exit 1`,
  )
  const age = '$(($(date +%s) - $(stat -c %Y /var/lib/tappass/spire-agent/keys.json)))'
  await inside(server, `while [ ${age} -le ${TOKEN_SECONDS} ]; do sleep 1; done`)
  await inside(server, 'systemctl restart tappass-spire-agent')
  assert.equal(await askAs(PLANNER_ASKS), PLANNER)
  assert.deepEqual(await changesOf(), [])
})

test('without the setting it is gone, but for what it has issued; with it again it goes on with that', async () => {
  const before = await entryIds()
  await writeIdentity(undefined)
  await bootstrap(server)
  assert.deepEqual(await changesOf(), [])
  assert.equal(await inside(server, 'systemctl list-units --plain --no-legend "tappass-sp*" | wc -l'), '0')
  await writeIdentity({ ...identity, workloads: identity.workloads.slice(0, 1) })
  await bootstrap(server)
  assert.deepEqual(await changesOf(), [])
  assert.equal(await entryIds(), before)
  assert.equal(
    await inside(server, 'systemctl is-active tappass-spiffe.socket tappass@1 tappass@2'),
    'active\nactive\nactive',
  )
  assert.equal(await askAs(PLANNER_ASKS), PLANNER)
})
