/**
 * Backups of a server in a real S3 store outside of it, versioned and with object lock: copied after they were proven, cut in the middle and gone on
 * with, and fetched with the recovery key alone. Takes 6 minutes.
 */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { recoveryPair } from '../../contract/recovery-key.ts'
import { openS3Store } from '../../server/adapters/s3-store.ts'
import { fetchSet, listSets } from '../../server/copies/fetch-set.ts'
import { parseBatch } from '../../server/copies/wal-batch.ts'
import { load } from './load.ts'
import { hostAddressOf } from './machine.ts'
import { ensureSpiffeHelperArchive } from './program.ts'
import { type S3Server, startS3Store } from './s3-store.ts'
import {
  bareServer,
  bootstrap,
  door,
  hostWords,
  inside,
  killUnitOfRun,
  machineWords,
  type Server,
  toolkit,
  writeSpec,
} from './server.ts'
import { ensureSpireArchive } from './spire-program.ts'

const MEGABYTE = 2 ** 20
const PART_BYTES = 8 * MEGABYTE
const LARGE_BYTES = 40 * MEGABYTE
const LARGE_SET = 'tappass-20250101T000000Z'

const { recipient, identity } = recoveryPair(generateKeyPairSync('x25519').privateKey)

/** What goes to the store, counted, and cut after so many bytes: every connection ends, and no other one is taken. */
const startRelay = async (host: string, to: number) => {
  const sockets = new Set<Socket>()
  let [sent, left] = [0, Number.POSITIVE_INFINITY]
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server: NetServer = createServer((from) => {
    if (left <= 0) return void from.destroy()
    const other = connect(to, host)
    for (const socket of [from, other])
      sockets.add(socket.on('error', () => undefined).once('close', () => sockets.delete(socket)))
    from.on('data', (chunk) => {
      sent += chunk.length
      left -= chunk.length
      if (left <= 0) cut()
      else other.write(chunk)
    })
    from.once('end', () => other.end()).once('close', () => other.destroy())
    // A connection that the store breaks off is no answer to wait for.
    other.once('close', (hadError) => hadError && from.destroy())
    other.pipe(from)
  }).listen(0, host)
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    sent: () => sent,
    cutAfter: (bytes: number) => {
      left = bytes
    },
    isCut: () => left <= 0,
    close: () => {
      cut()
      server.close()
    },
  }
}

let server: Server
let s3: S3Server
let relay: Awaited<ReturnType<typeof startRelay>>
let backup: Readonly<Record<string, unknown>>
let archives: Readonly<Record<string, unknown>>
const file = (name: string) => join(server.folder, name)

before(async () => {
  server = await bareServer('proof-store', 0, { tree: 'docker' })
  const host = await hostAddressOf(server.machine)
  s3 = await startS3Store(host)
  relay = await startRelay(host, s3.port)
  const { kind: _, endpoint: __, ...bucket } = s3.store
  backup = { recoveryKey: recipient, store: { s3: { ...bucket, endpoint: `http://${host}:${relay.port}` } } }
  archives = {
    spire: { archive: await ensureSpireArchive() },
    spiffeHelper: { archive: await ensureSpiffeHelperArchive() },
  }
  await writeSpec(server, (spec) => ({
    ...{ ...spec, ...archives, backup },
    gateway: { upstream: server.upstream.url },
    identity: { trustDomain: 'lab.example' },
  }))
  writeFileSync(file('identity'), `${identity}\n`, { mode: 0o600 })
  for (const [id, value] of Object.entries(s3.secrets)) writeFileSync(file(id), value, { mode: 0o600 })
})
after(async () => {
  relay?.close()
  await s3?.close()
  await server?.close()
})

const storeWords = () => [
  ...['--config', server.specPath],
  ...Object.keys(s3.secrets).flatMap((id) => ['--secret', `${id}=${file(id)}`]),
]

const until = async (what: string, is: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 240_000; !(await is()); await sleep(250)) assert.ok(Date.now() < end, `never: ${what}`)
}

/** Waits until a copy that has failed is over, and systemd waits to try again. */
const untilWaiting = async (): Promise<void> =>
  await until('the unit waits to try again', async () =>
    /auto-restart/.test(await inside(server, 'systemctl show -p SubState --value tappass-backup-copy')),
  )

const isCopied = (set: string) => async () =>
  (await inside(server, `test -e /var/lib/tappass/backup/${set}/copied.json && echo yes || true`)).trim() === 'yes'

const digestsInside = async (set: string): Promise<readonly string[]> =>
  (await inside(server, `cd /var/lib/tappass/backup/${set} && sha256sum -- * | grep -v copied.json`))
    .trim()
    .split('\n')
    .toSorted()

const digestsHere = (folder: string): readonly string[] =>
  readdirSync(folder)
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}`,
    )
    .toSorted()

let set = ''
let key = ''
/** A moment after the newest set, between two loads of calls; when the second one ended, and the segment of the log that it is in. */
let moment: Readonly<{ time: string; endMs: number; segment: string }>

const sql = async (on: Server, statement: string): Promise<string> =>
  (
    await inside(
      on,
      `docker exec tappass-postgres psql -qAt --host /tappass/run --username postgres --dbname tappass --command "${statement}"`,
    )
  ).trim()

/** The ledger as of a moment, and between two of them. */
const ledgerUntil = (on: Server, time: string) =>
  sql(
    on,
    `SELECT count(*) || ' ' || md5(string_agg(hash::text, ',' ORDER BY chain, seq)) FROM audit_events WHERE ts <= '${time}'`,
  )

/** Some calls before a moment, and some after it. */
const callAround = async (): Promise<void> => {
  const way = await door(server)
  const call = async () => {
    const { failures } = await load(
      way,
      key,
      2,
      ({ acknowledged, failures }) => acknowledged.length + failures.length >= 6,
    )
    assert.deepEqual(failures, [])
    await sleep(1000)
  }
  await call()
  const time = new Date().toISOString()
  await sleep(1000)
  await call()
  await way.close()
  moment = { time, endMs: Date.now(), segment: await sql(server, 'SELECT pg_walfile_name(pg_current_wal_lsn())') }
}

/** Waits until the log with the second calls is in the store. Returns how long after them it was, by the store's clock. */
const untilLogCopied = async (): Promise<number> => {
  const store = openS3Store(s3.store, s3.secrets)
  let copiedMs: number | undefined
  await until('the copy of the log', async () => {
    const batches = (await store.list('wal-')).filter(({ name }) => (parseBatch(name)?.last ?? '') >= moment.segment)
    copiedMs = batches[0]?.modifiedMs
    return copiedMs !== undefined
  })
  return (copiedMs ?? 0) - moment.endMs
}

test('a proven backup is copied by itself, and the server and this machine say so', async () => {
  await bootstrap(server, ...storeWords().slice(2))
  const way = await door(server)
  ;({ key } = await way.agent('keeper'))
  await load(way, key, 2, ({ acknowledged, failures }) => acknowledged.length + failures.length >= 10)
  await way.close()
  await inside(server, 'systemctl start tappass-backup')
  set = (await inside(server, 'ls /var/lib/tappass/backup | grep -E "^tappass-[0-9TZ]+$" | tail -n 1')).trim()
  await until('the copy', isCopied(set))
  const listed = await toolkit(['backup', 'list', '--store', ...storeWords(), '--json'])
  assert.equal(listed.code, 0, listed.stderr)
  const sets = JSON.parse(listed.stdout) as readonly Readonly<{ set: string; missing: number; copiedAt?: string }>[]
  assert.deepEqual(
    sets.map((each) => [each.set, each.missing, each.copiedAt !== undefined]),
    [[set, 0, true]],
  )
  const status = await toolkit(['status', ...hostWords(server)])
  assert.match(status.stdout, /backup-copy +copied 20/)
  await callAround()
})

test('fetched with the recovery key alone it is the same, byte for byte, also when its parts were overwritten', async () => {
  const fetch = async (name: string) => {
    mkdirSync(file(name))
    const words = ['--identity', file('identity'), '--into', file(name)]
    return await toolkit(['backup', 'fetch', set, ...storeWords(), ...words])
  }
  const first = await fetch('first')
  assert.equal(first.code, 0, first.stdout + first.stderr)
  const there = await digestsInside(set)
  assert.deepEqual(digestsHere(join(file('first'), set)), there)
  // What somebody can do who has the credentials of the host: not delete, and only overwrite what stays below.
  const names = (await openS3Store(s3.store, s3.secrets).list(set)).map(({ name }) => `/${s3.store.prefix}${name}`)
  for (const name of names) {
    assert.equal((await s3.ask('host', 'DELETE', name)).status, 403)
    assert.ok((await s3.ask('host', 'PUT', name, 'gone')).ok)
  }
  const second = await fetch('second')
  assert.equal(second.code, 0, second.stdout + second.stderr)
  assert.deepEqual(digestsHere(join(file('second'), set)), there)
})

test('a bare machine becomes the lost one as of a moment after the newest set, from the store and the recovery key alone, also when the run is killed', async (context) => {
  const lateMs = await untilLogCopied()
  context.diagnostic(`a call was in the store after ${lateMs} ms`)
  assert.ok(lateMs < 150_000, `${lateMs} ms`)
  const there = await ledgerUntil(server, moment.time)
  const other = await bareServer('proof-onto')
  try {
    // What the lab has in place of the network; the rest of the settings is that of the set.
    await writeSpec(other, (spec) => ({ ...spec, ...archives, backup, gateway: { upstream: other.upstream.url } }))
    const target = machineWords(other).slice(1)
    const words = [
      ...['backup', 'restore', '--onto', ...target, '--recovery-key', file('identity'), '--to', moment.time],
      ...['--config', other.specPath, ...storeWords().slice(2), '--yes'],
    ]
    const startMs = performance.now()
    const first = toolkit(words)
    let early = ''
    first.then(({ stdout, stderr }) => {
      early = `it ended early: ${stdout}${stderr}`
    })
    const hasCluster = 'test -e /var/lib/tappass/postgres/cluster && echo yes || true'
    await until('half of a server', async () => early !== '' || (await inside(other, hasCluster)) === 'yes')
    assert.equal(early, '')
    await killUnitOfRun(other)
    assert.notEqual((await first).code, 0)
    const { code, stdout, stderr } = await toolkit(words)
    context.diagnostic(`bare to restored, killed once: ${Math.round(performance.now() - startMs)} ms`)
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /^intact: /m)
    assert.equal(await ledgerUntil(other, moment.time), there)
    const end = new Date(moment.endMs).toISOString()
    const since = `SELECT count(*) FROM audit_events WHERE ts > '${moment.time}' AND ts <= '${end}'`
    assert.ok(Number(await sql(server, since)) >= 6)
    assert.equal(await sql(other, since), '0')
    assert.doesNotMatch(await inside(other, 'ls -A /var/lib/tappass/backup /var/lib/tappass/wal'), /base-/)
    const way = await door(other)
    const tally = await load(way, key, 2, ({ acknowledged, failures }) => acknowledged.length + failures.length >= 10)
    await way.close()
    assert.deepEqual(tally.failures, [])
    const authority =
      '/opt/tappass/spire/current/bin/spire-server bundle show -socketPath /run/tappass/spire-server/api.sock'
    assert.equal(await inside(other, authority), await inside(server, authority))
    const admin = 'systemd-creds decrypt /etc/credstore.encrypted/tappass-admin-api-key - | sha256sum'
    assert.equal(await inside(other, admin), await inside(server, admin))
    const databases = `docker exec tappass-postgres psql -qAt --host /tappass/run --username postgres --command 'SELECT datname FROM pg_database'`
    assert.doesNotMatch(await inside(other, databases), /_before_/)
    const again = await toolkit(words)
    assert.equal(again.code, 5)
    assert.match(again.stdout + again.stderr, /this host is not bare/)
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => name.startsWith('tappass-restore-')),
      [],
    )
  } finally {
    await other.close()
  }
})

test('cut in the middle and killed, a copy goes on: what is sent twice is a part each time', async () => {
  const folder = `/var/lib/tappass/backup/${LARGE_SET}`
  await inside(
    server,
    `mkdir ${folder} && cd ${folder} && head -c ${LARGE_BYTES} /dev/urandom >database.dump && echo '{}' >verified.json &&
    printf '{"files":[{"name":"database.dump","bytes":${LARGE_BYTES},"sha256":"%s"}]}' "$(sha256sum database.dump | cut -d' ' -f1)" >manifest.json`,
  )
  const start = 'systemctl start --no-block tappass-backup-copy'
  const before = relay.sent()
  relay.cutAfter(LARGE_BYTES / 2 - MEGABYTE)
  await inside(server, start)
  await until('the cut', relay.isCut)
  await untilWaiting()
  const store = openS3Store(s3.store, s3.secrets)
  const stored = async () => (await listSets(store)).find((each) => each.set === LARGE_SET)
  assert.deepEqual((await stored())?.copiedAt, undefined, 'it is not there as a whole')
  assert.ok(((await stored())?.bytes ?? 0) >= PART_BYTES)
  relay.cutAfter(Number.POSITIVE_INFINITY)
  const atCut = relay.sent()
  await inside(server, start)
  await until('half of the rest', () => relay.sent() > atCut + PART_BYTES + MEGABYTE)
  const mainPid = () => inside(server, 'systemctl show -p MainPID --value tappass-backup-copy')
  const killed = (await mainPid()).trim()
  await inside(server, 'systemctl kill --signal=KILL tappass-backup-copy; true')
  // A start before systemd has seen the end of the process is part of the one that ends. A segment of the log may have begun the next one already.
  await until('the end of the process', async () => killed === '0' || (await mainPid()).trim() !== killed)
  await inside(server, start)
  await until('the copy', isCopied(LARGE_SET))
  const sent = relay.sent() - before
  assert.ok(sent < LARGE_BYTES + 2 * (PART_BYTES + MEGABYTE), `${sent} bytes were sent for ${LARGE_BYTES}`)
  await fetchSet({ store, identity, set: LARGE_SET, folder: file('large') })
  assert.deepEqual(digestsHere(file('large')), await digestsInside(LARGE_SET))
})

test('credentials that the store refuses are told by status, doctor and the check', async () => {
  await inside(
    server,
    // What the row before has left, a process with the earlier credentials or a wait for the next try, is over first, and nothing but this row starts another one.
    `systemctl stop tappass-backup-copy.path tappass-backup-copy.timer tappass-backup-copy.service; printf wrong | systemd-creds encrypt --with-key=host --name=backup-store-secret - /etc/credstore.encrypted/backup-store-secret
    rm /var/lib/tappass/backup/${set}/copied.json; systemctl start tappass-backup-copy; systemctl start tappass-check; true`,
  )
  const record = '/var/lib/tappass/backup-copy/last.json'
  await until('the failure', async () => /refuses the credentials/.test(await inside(server, `cat ${record}`)))
  const found = await inside(server, 'systemctl start tappass-check; cat /var/lib/tappass/check/last.json')
  assert.match(found, /"check":"backup-copy"[^}]*"level":"soon"[^}]*refuses the credentials/)
  // A day later it is a fault.
  await inside(
    server,
    `sed -i 's/"waitingSince":"20../"waitingSince":"2020/; s/"waitingSince":"2020[^-]*/"waitingSince":"2020/' ${record}`,
  )
  const status = await toolkit(['status', ...hostWords(server)])
  assert.match(status.stdout, /backup-copy ! +no copy was made since 20.*refuses the credentials/)
  assert.equal(status.code, 1)
})
