/**
 * `sudo ./bootstrap.sh` on the machine itself, from a fresh clone, while its first boot is still at work; the same server seen over SSH
 * afterwards; and its move to a database and a Redis elsewhere. Takes 3 minutes.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { AUTHORITIES, layClone, layFile } from './clone.ts'
import { readPins } from './pin.ts'
import { ensureNodeArchive } from './program.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  hostWords,
  inside,
  mainPids,
  plan,
  type Server,
  toolkit,
  untilHealthy,
} from './server.ts'
import { startStorage, writeExternalSpec } from './storage-server.ts'

let server: Server

const toMachine = (from: string, to: string): Promise<void> => layFile(server.machine, from, to)

/** Every archive that the spec names, where the machine finds it under the same name; and the spec. */
const layArchives = async (): Promise<void> => {
  const spec = parse(await readFile(server.specPath, 'utf8')) as Record<string, Record<string, { archive: string }>>
  const holders = [spec['images']?.['postgres'], spec['images']?.['redis'], spec['node'], spec['caddy']]
  for (const { archive } of holders as { archive: string }[]) await toMachine(archive, archive)
  const program = (spec['opa'] as unknown as { program: string }).program
  await toMachine(program, program)
  await toMachine(server.specPath, '/root/host.yaml')
}

/**
 * Node 26 needs libatomic1, which the machine lacks, so the launcher takes the other pinned one; vendors' sites are out of reach here,
 * and the way to the package registry is under an authority of this workplace's own.
 */
const bootstrapHere = async (): Promise<string> =>
  inside(
    server,
    `cd /root/tappass
    export NODE_EXTRA_CA_CERTS=/root/authorities.crt TAPPASS_NODE_URL=file:///root/node.tar.gz
    export TAPPASS_NODE_SHA256=$(sha256sum /root/node.tar.gz | cut -d ' ' -f 1)
    ./bootstrap.sh --config /root/host.yaml --yes 2>&1`,
  )

before(async () => {
  server = await bareServer('proof-here')
  const { node } = await readPins()
  const other = node[1]
  assert.ok(other)
  await toMachine(await ensureNodeArchive(other), '/root/node.tar.gz')
  await toMachine(AUTHORITIES, '/root/authorities.crt')
  await layArchives()
  await layClone(server.machine, '/root/tappass')
})
after(() => server?.close())

/** Plays cloud-init, which says that it runs for so many seconds from now. */
const runCloudInit = (seconds: number): Promise<string> =>
  inside(
    server,
    `echo $(($(date +%s) + ${seconds})) >/run/first-boot-ends
cat >/usr/local/bin/cloud-init <<'END'
#!/bin/sh
[ "$(date +%s)" -lt "$(cat /run/first-boot-ends)" ] && echo 'status: running' || echo 'status: done'
END
chmod +x /usr/local/bin/cloud-init`,
  )

/** Holds the lock of apt's lists for 5 seconds and the frontend lock of dpkg for 8, as an unattended upgrade does. */
const HOLD_LOCKS = `import fcntl, time
held = [open(path, 'w') for path in ('/var/lib/apt/lists/lock', '/var/lib/dpkg/lock-frontend')]
for each in held: fcntl.lockf(each, fcntl.LOCK_EX)
print('held', flush=True)
for each, seconds in zip(held, (5, 3)): time.sleep(seconds); fcntl.lockf(each, fcntl.LOCK_UN)`

test('a fresh clone on a bare machine whose first boot is not over: one command to a healthy server, the administrator’s key is shown once', async () => {
  await inside(server, 'dpkg --purge --force-depends curl')
  await runCloudInit(3)
  await inside(
    server,
    `systemd-run --quiet --unit=busy-apt --property=StandardOutput=file:/run/held python3 -c "${HOLD_LOCKS}"
    until grep -q held /run/held; do sleep 0.1; done`,
  )
  const said = await bootstrapHere()
  assert.match(said, /^bootstrap: cloud-init is still setting up this machine; waiting/m)
  assert.match(said, /^another program is at work with apt or dpkg; waiting/m)
  assert.equal(await inside(server, 'systemctl is-active busy-apt || true'), 'inactive')
  await untilHealthy(server)
  assert.equal(said.match(/\btp_[A-Za-z0-9_-]{43}\b/g)?.length, 1, 'the key is not there once')
})

test('a second run changes nothing, restarts nothing and shows no key; over SSH there is nothing to do either', async () => {
  const pids = await mainPids(server)
  const said = await bootstrapHere()
  assert.doesNotMatch(said, /\btp_[A-Za-z0-9_-]{43}\b/)
  await runCloudInit(3)
  const planned = await plan(server)
  const told = planned.events.flatMap((event) => (event.event === 'warning' ? [event.warning.what] : []))
  assert.deepEqual([planned.code, told], [0, ['cloud-init is still setting up this host']])
  await bootstrap(server)
  assert.deepEqual(await mainPids(server), pids)
})

test('over SSH its database and Redis become somebody else’s: the instances are moved, the data stay here, and the plan says so', async () => {
  const storage = await startStorage(server)
  try {
    await writeExternalSpec(server)
    const words = [...(await storage.words()), '--data', 'leave']
    const { events } = await plan(server, ...words)
    const changes = events.flatMap((event) => (event.event === 'plan' ? event.changes : []))
    const removal = changes.find(({ action }) => action === 'stop and remove tappass-postgres.service')
    assert.match(removal?.reason ?? '', /its data stay in \/var\/lib\/tappass\/postgres$/)
    await bootstrap(server, ...words)
    await assertNothingToDo(server)
    await untilHealthy(server)
    const left =
      'docker ps --all --quiet; docker image ls --quiet; ls /etc/systemd/system | grep -E "postgres|redis|backup"'
    assert.equal(
      await inside(server, `${left}; ls -d /var/lib/tappass/postgres/cluster`),
      '/var/lib/tappass/postgres/cluster',
    )
    // They were not taken along: what the checkpoints on the host have signed is not there.
    assert.equal((await toolkit(['audit', 'verify', ...hostWords(server), '--json'])).code, 1)
  } finally {
    await storage.close()
  }
})
