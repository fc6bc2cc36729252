/**
 * A point in time over a real PostgreSQL: its log archived by the script of the hosts, the cluster copied and started again by its own tools, for which a stand-in for Docker's client
 * takes the place of containers. Needs: postgres. On one Node: the one of servers.
 */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { createTestHost, type TestHost, writeChain } from './backup-host.ts'

const SCRIPT = join(import.meta.dirname, '../../templates/postgres/archive.sh')
const NOBODY = 65534
const KEEP = ['--keep-daily', '7', '--keep-weekly', '4', '--point-in-time-days', '2']

/** Where the server's account may write. */
const openFolder = (path: string): void => {
  mkdirSync(path, { recursive: true })
  if (process.getuid?.() === 0) chownSync(path, NOBODY, NOBODY)
}

/** The paths inside the container become those of this machine. */
const dockerScript = ({ root, server }: TestHost, port: number): string => `#!/bin/sh
data=${root}/var/lib/tappass/postgres programs=${server.program('')}
as=; [ "$(id -u)" != 0 ] || as='setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups'
verb=$1; shift
case $verb in
container) [ ! -e $data/recovery/cluster/postmaster.pid ] || echo id; exit ;;
inspect) echo 'image ${NOBODY}:${NOBODY}'; exit ;;
rm) kill -QUIT $(head -n 1 $data/recovery/cluster/postmaster.pid); while [ -e $data/recovery/cluster/postmaster.pid ]; do sleep 0.1; done; exit ;;
run)
  while [ "$1" != -c ]; do case $1 in *target=/tappass/wal*) wal=\${1#*source=}; wal=\${wal%%,*} ;; esac; shift; done
  mapped() { printf %s "$1" | sed "s:/tappass/data:$data/recovery:g; s:/tappass/wal:$wal:g; s:/tappass/etc/postgresql.conf:${root}/scratch.conf:"; }
  script=$(mapped "$2"); shift 3
  for word do shift; set -- "$@" "$(mapped "$word")"; done
  export PATH=$programs:$PATH
  # The settings of the test's server came with the copy.
  exec $as sh -c "$script" sh "$@" -c port=${port} -c listen_addresses= -c unix_socket_directories=${root}/scratch ;;
esac
[ "$1" != --interactive ] || shift
container=$1 tool=$2; shift 2
case $tool in
mkdir | rm)
  for word do shift; set -- "$@" "$(printf %s "$word" | sed "s:/tappass/data:$data:")"; done
  exec $as $tool "$@" ;;
esac
folder=${server.folder} PGPORT=${server.port}
[ $container = tappass-postgres ] || folder=${root}/scratch PGPORT=${port}
export PGPORT
for word do shift; [ "$word" != /tappass/run ] || word=$folder; set -- "$@" "$word"; done
exec $programs/$tool "$@"
`

let host: TestHost
before(async () => {
  host = await createTestHost((root) => {
    chmodSync(root, 0o755)
    for (const name of ['var/lib/tappass/wal', 'var/lib/tappass/postgres', 'scratch']) openFolder(join(root, name))
    const command = `PATH=$(dirname "$(readlink /proc/$PPID/exe)"):$PATH sh ${SCRIPT} "%p" "%f" ${root}/var/lib/tappass/wal ${root}/var/lib/tappass/postgres/wal-gap 0`
    return ['archive_mode = on', 'archive_timeout = 60', `archive_command = '${command}'`]
  })
  const port = await freePort()
  const cluster = join(host.root, 'var/lib/tappass/postgres/recovery/cluster')
  const settings = [`hba_file = '${cluster}/pg_hba.conf'`, `ident_file = '${cluster}/pg_ident.conf'`]
  writeFileSync(join(host.root, 'scratch.conf'), `${settings.join('\n')}\n`)
  writeFileSync(join(host.root, 'bin/docker'), dockerScript(host, port), { mode: 0o755 })
})
after(() => host?.dispose())

const bases = () => readdirSync(host.backups).filter((name) => name.startsWith('base-'))
const entries = async (database = 'tappass') =>
  Number(await host.server.superuser('SELECT count(*) FROM audit_events', database))

test('create: the cluster is copied once a night, started as a proof, and its log is there', async () => {
  const { code, stdout, stderr } = await host.run('create', ...KEEP)
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /^made base-\S+ \(\d+ bytes\): started beside the server, \d+ rows$/m)
  const [name, ...others] = bases()
  assert.deepEqual(others, [])
  assert.match((await host.run('list')).stdout, new RegExp(`^${name} .* any moment since 20`, 'm'))
  assert.ok(!existsSync(join(host.root, 'var/lib/tappass/postgres/recovery')))
})

test('restore --to: the database as it was then is a proven set, and takes the place of what was destroyed', async () => {
  await writeChain(host, 5)
  const there = await entries()
  await sleep(1100)
  const time = new Date().toISOString()
  await sleep(1100)
  await host.server.superuser('ALTER TABLE audit_events DISABLE TRIGGER ALL; DELETE FROM audit_events', 'tappass')
  const { code, stdout, stderr } = await host.run('restore', '--to', time, '--by', 'ada@desk')
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /^verified tappass-\S+: restored in .*, ledger intact/m)
  // And the chain of the restoration.
  assert.equal(await entries(), there + 3)
  assert.ok(!existsSync(join(host.root, 'var/lib/tappass/postgres/recovery')))
})

/** Waits until no segment waits to be archived. */
const untilArchived = async (wal: string): Promise<void> => {
  const archived = 'SELECT last_archived_wal FROM pg_stat_archiver'
  for (const last = await host.server.superuser('SELECT pg_walfile_name(pg_switch_wal())', 'postgres'); ; ) {
    if ((await host.server.superuser(archived, 'postgres')) >= last && existsSync(join(wal, `${last}.gz`))) return
    await sleep(100)
  }
}

const refused: readonly (readonly [name: string, time: () => string, says: RegExp])[] = [
  ['before the first copy', () => '2026-01-01T00:00:00Z', /the first moment that can be gone back to is 20/],
  ['in the future', () => new Date(Date.now() + 3_600_000).toISOString(), /is not over yet/],
]
for (const [name, time, says] of refused)
  test(`restore --to a moment ${name} is refused`, async () => {
    const { code, stderr } = await host.run('restore', '--to', time())
    assert.equal(code, 5)
    assert.match(stderr, says)
  })

test('restore --to a moment from before a move to another major version of PostgreSQL is refused by name, with the way out', async () => {
  const [name = ''] = bases()
  const path = join(host.backups, name, 'base.json')
  const text = readFileSync(path, 'utf8')
  const { postgres } = JSON.parse(text) as { postgres: number }
  writeFileSync(path, text.replace(`"postgres": ${postgres}`, `"postgres": ${postgres - 1}`))
  try {
    for (const words of [['--check'], []]) {
      const { code, stdout, stderr } = await host.run('restore', '--to', new Date().toISOString(), ...words)
      assert.equal(code, 5, stdout + stderr)
      assert.match(stderr, new RegExp(`${name}, .* is of PostgreSQL ${postgres - 1}, and this server runs ${postgres}`))
      assert.match(stderr, /next: a set from before the move.*tappass backup restore SET\n.*tappass rollback/)
      assert.equal(stdout, '')
    }
  } finally {
    writeFileSync(path, text)
  }
})

test('a copy that still waits for its log is not good; nor is one with another byte', async () => {
  const [name = ''] = bases()
  const folder = join(host.backups, name)
  const { firstWal, systemId } = JSON.parse(readFileSync(join(folder, 'base.json'), 'utf8'))
  const segment = join(host.root, 'var/lib/tappass/wal', systemId, `${firstWal}.gz`)
  renameSync(segment, `${segment}.aside`)
  const waiting = await host.run('verify')
  renameSync(`${segment}.aside`, segment)
  assert.equal(waiting.code, 1)
  assert.match(waiting.stderr, /it waits for its WAL/)
  const tar = readFileSync(join(folder, 'base.tar.gz'))
  writeFileSync(
    join(folder, 'base.tar.gz'),
    Buffer.concat([tar.subarray(0, 999), Buffer.from('X'), tar.subarray(1000)]),
  )
  const damaged = await host.run('verify')
  writeFileSync(join(folder, 'base.tar.gz'), tar)
  assert.match(damaged.stderr, /base\.tar\.gz is not what was written/)
})

test('after a gap in the log a new copy is taken, and the gap is forgotten; without the setting all of it goes', async () => {
  const gap = join(host.root, 'var/lib/tappass/postgres/wal-gap')
  const { systemId } = JSON.parse(readFileSync(join(host.backups, bases()[0] ?? '', 'base.json'), 'utf8'))
  writeFileSync(gap, `${systemId} 000000010000000000000001 2026-11-27T10:00:00Z no room\n`)
  if (process.getuid?.() === 0) chownSync(gap, NOBODY, NOBODY)
  const { code, stdout, stderr } = await host.run('create', ...KEEP)
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /^made base-/m)
  assert.ok(!existsSync(gap))
  assert.equal((await host.run('prune', ...KEEP.slice(0, 4))).code, 0)
  const clusters = readdirSync(join(host.root, 'var/lib/tappass/wal')).filter((name) => /^\d/.test(name))
  assert.deepEqual([bases(), clusters], [[], []])
  rmSync(gap, { force: true })
})

test('restore --first --base: a host that is made from a set becomes the lost one as of the end of its log, and what was brought goes', async () => {
  const created = await host.run('create', ...KEEP)
  assert.equal(created.code, 0, created.stdout + created.stderr)
  const set = /^made (tappass-\S+)/m.exec(created.stdout)?.[1] ?? ''
  const [base = ''] = bases()
  await writeChain(host, 5)
  const there = await entries()
  const { systemId } = JSON.parse(readFileSync(join(host.backups, base, 'base.json'), 'utf8'))
  const wal = join(host.root, 'var/lib/tappass/wal', systemId)
  const first = ['restore', '--first', '--base', base]
  const unfounded = await host.run(...first)
  assert.equal(unfounded.code, 5)
  assert.match(unfounded.stderr, /not being made from a set/)
  await untilArchived(wal)
  await host.server.superuser('ALTER TABLE audit_events DISABLE TRIGGER ALL; DELETE FROM audit_events', 'tappass')
  writeFileSync(join(host.backups, '.founding'), `${set}\n`)
  const late = await host.run(...first, '--to', new Date(Date.now() + 3_600_000).toISOString())
  assert.equal(late.code, 5, late.stderr)
  assert.match(late.stderr, /is behind the end of the log in the store: .* --to latest/)
  const { code, stdout, stderr } = await host.run(...first)
  assert.equal(code, 0, stdout + stderr)
  assert.match(stdout, /^verified tappass-\S+: restored in .*, ledger intact/m)
  assert.equal(await entries(), there + 3)
  assert.deepEqual([bases(), existsSync(join(host.backups, '.founding'))], [[], false])
})
