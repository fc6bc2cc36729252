/** Reboot and power cut: the server comes back by itself, and the ledger has every call that was acknowledged. Takes 4 minutes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { armCommand } from '../../scripts/core/guard.ts'
import { load, type Tally } from './load.ts'
import { cut, reboot, run, up } from './machine.ts'
import {
  assertNothingToDo,
  bootstrappedServer,
  type Door,
  door,
  inside,
  mainPids,
  plan,
  type Server,
  untilHealthy,
} from './server.ts'

let server: Server
let through: Door
let key: string

before(async () => {
  server = await bootstrappedServer('proof-power', { tree: 'docker' })
  through = await door(server)
  key = (await through.agent('power')).key
})
after(async () => {
  await through?.close()
  await server?.close()
})

const psql =
  'docker exec tappass-postgres psql --host /tappass/run --username postgres --dbname tappass --tuples-only --no-align'

const ledgerIds = async (): Promise<ReadonlySet<string>> =>
  new Set((await inside(server, `${psql} --command "SELECT DISTINCT request_id FROM audit_events"`)).split('\n'))

const assertInLedger = async (acknowledged: readonly string[]): Promise<void> => {
  const ids = await ledgerIds()
  assert.deepEqual(
    acknowledged.filter((id) => !ids.has(id)),
    [],
  )
}

/** Keeps calls under way while `act` runs; what it is given waits until so many further calls were acknowledged. */
const underLoad = async (act: (more: (count: number) => Promise<void>) => Promise<unknown>): Promise<Tally> => {
  let isOver = false
  let acknowledged = 0
  const loading = load(
    through,
    key,
    8,
    (tally) => {
      acknowledged = tally.acknowledged.length
      return isOver
    },
    25,
  )
  const more = async (count: number): Promise<void> => {
    for (const goal = acknowledged + count; acknowledged < goal; ) await pause(20)
  }
  await act(more).finally(() => {
    isOver = true
  })
  return loading
}

const rows = [
  { name: 'reboot', interrupt: () => reboot(server.machine.name) },
  { name: 'power cut', interrupt: () => cut(server.machine.name).then(() => up(server.machine.name)) },
] as const

/** A change of a run that has not confirmed it yet. */
const beginUnconfirmed = async () => {
  await inside(server, 'echo before >/etc/unconfirmed')
  const { argv, stdin } = armCommand({ paths: ['/etc/unconfirmed'], units: [] })
  const { code, stderr } = await run(server.machine, argv, { stdin: String(stdin) })
  assert.equal(code, 0, stderr)
  await inside(server, 'echo after >/etc/unconfirmed; sync')
}

for (const { name, interrupt } of rows) {
  test(`${name} under load: back and healthy without anybody, no acknowledged call is missing from the ledger`, async () => {
    const { acknowledged } = await underLoad(async (more) => {
      await more(300)
      await beginUnconfirmed()
      await interrupt()
    })
    await untilHealthy(server)
    assert.equal(await inside(server, 'systemctl is-system-running --wait'), 'running')
    // What nobody had confirmed before is put back.
    assert.equal(
      await inside(server, 'cat /etc/unconfirmed; ls /var/lib/tappass-guard/pending 2>&1 | wc -l'),
      'before\n1',
    )
    await assertNothingToDo(server)
    assert.ok(acknowledged.length >= 300)
    await assertInLedger(acknowledged)
    const { status, body } = await through.admin('/audit/integrity')
    assert.equal(status, 200, JSON.stringify(body))
  })
}

const mainPid = (unit: string): string => `$(systemctl show --property=MainPID --value ${unit})`

/** How the engine is taken away, and brought back where it does not come by itself. */
const engineOutages = [
  { name: 'is killed', away: `kill -9 ${mainPid('docker')}`, back: 'true' },
  { name: 'restarts', away: 'systemctl restart docker', back: 'true' },
  {
    name: 'is stopped and started',
    away: 'systemctl stop docker.service docker.socket',
    back: 'systemctl start docker.service',
  },
] as const

for (const { name, away, back } of engineOutages) {
  test(`the Docker engine ${name}: PostgreSQL and Redis stay, and not one call fails meanwhile`, async () => {
    const before = await mainPids(server)
    const { failures } = await underLoad(async (more) => {
      await more(100)
      await inside(server, `systemctl reset-failed docker && ${away}`)
      await more(100)
      await inside(server, `${back}; until docker exec tappass-postgres true 2>/dev/null; do sleep 0.2; done`)
      await more(100)
      const { code, events } = await plan(server)
      assert.equal(code, 0, JSON.stringify(events))
    })
    assert.deepEqual(failures, [])
    const { docker, ...others } = await mainPids(server)
    assert.notEqual(docker, before['docker'])
    assert.deepEqual({ ...others, docker: before['docker'] }, before)
    const known = await inside(server, 'docker container ls --all --quiet --no-trunc | sort')
    assert.equal(
      known,
      await inside(server, 'for unit in postgres redis; do cat /run/tappass-$unit/container; echo; done | sort'),
    )
  })
}

/** Waits until another process than `before` is the main one of each of these units: by then their end was noticed. */
const replaced = async (units: readonly string[], before: Readonly<Record<string, string>>): Promise<void> => {
  const isOld = (pid: string | undefined, unit: string): boolean => pid === '0' || pid === before[unit]
  for (let now = before; units.some((unit) => isOld(now[unit], unit)); now = await mainPids(server)) await pause(200)
}

for (const unit of ['tappass-postgres', 'tappass-redis']) {
  test(`the container of ${unit} is killed under load: calls are answered within 10 s, and none of the acknowledged is missing`, async () => {
    const before = await mainPids(server)
    let seconds = 0
    const { acknowledged } = await underLoad(async (more) => {
      await more(100)
      const start = performance.now()
      await inside(server, `docker kill ${unit}`)
      await replaced([unit], before)
      await more(1)
      seconds = (performance.now() - start) / 1000
      await more(100)
    })
    assert.ok(seconds <= 10, `${seconds} s`)
    await assertInLedger(acknowledged)
  })
}

for (const unit of ['tappass-postgres', 'tappass-redis']) {
  test(`${unit} is restarted in order under load: calls wait for it, and not one fails`, async () => {
    const before = await mainPids(server)
    const { acknowledged, failures } = await underLoad(async (more) => {
      await more(50)
      await inside(server, `systemctl restart ${unit}`)
      await replaced([unit], before)
      await more(50)
    })
    assert.deepEqual(failures, [])
    await assertInLedger(acknowledged)
  })
}

/** What is killed, how, and the units whose main process ends by it. */
const deaths = [
  {
    name: 'the supervisor of PostgreSQL',
    kill: `kill -9 ${mainPid('tappass-postgres')}`,
    ended: ['tappass-postgres'],
  },
  {
    name: 'both instances of the gateway',
    kill: `kill -9 ${mainPid('tappass@1')} ${mainPid('tappass@2')}`,
    ended: ['tappass@1', 'tappass@2'],
  },
  { name: 'Caddy', kill: `kill -9 ${mainPid('tappass-caddy')}`, ended: ['tappass-caddy'] },
] as const

/** Waits until every unit is active (is-active itself is content with one of them). */
const active = `for try in $(seq 600); do
  [ "$(systemctl is-active docker tappass-postgres tappass-redis tappass-migrate tappass@1 tappass@2 tappass-caddy | sort -u)" = active ] && exit 0
  sleep 0.2; done; systemctl --no-pager list-units --all 'tappass*'; exit 1`

for (const { name, kill, ended } of deaths) {
  test(`${name} is killed: it comes back without anybody, and calls are answered`, async () => {
    const before = await mainPids(server)
    await inside(server, kill)
    await replaced(ended, before)
    await inside(server, active)
    await untilHealthy(server)
    const { failures } = await load(through, key, 2, ({ sent }) => sent >= 10)
    assert.deepEqual(failures, [])
    const { code, events } = await plan(server)
    assert.equal(code, 0, JSON.stringify(events))
  })
}

/** What a run and a start of the unit refuse, and how it is undone again on the machine, as an operator would. */
const unfit = [
  {
    name: 'the disk of the data is not mounted after a reboot',
    damage: 'mv /var/lib/tappass/postgres/cluster /root/cluster',
    start: () => reboot(server.machine.name),
    says: /there is no \/var\/lib\/tappass\/postgres\/cluster, and there was a database of PostgreSQL 16/,
    refused: /the database of this server is gone/,
    mend: 'mv /root/cluster /var/lib/tappass/postgres/cluster',
  },
  {
    name: 'the data are of another version',
    damage: 'echo 15 >/var/lib/tappass/postgres/cluster/PG_VERSION',
    start: () => inside(server, 'systemctl start tappass-postgres || true'),
    says: /is one of PostgreSQL 15, and the image opens 16 only/,
    refused: /not one of PostgreSQL 16/,
    mend: 'echo 16 >/var/lib/tappass/postgres/cluster/PG_VERSION',
  },
] as const

for (const { name, damage, start, says, refused, mend } of unfit) {
  test(`${name}: no start, no new database, a run is refused; mended, it starts by itself`, async () => {
    const rows = await inside(server, `${psql} --command 'SELECT count(*) FROM audit_events'`)
    const before = await inside(server, 'cat /var/lib/tappass-cluster; ls /var/lib/tappass/postgres')
    await inside(server, `systemctl stop tappass-postgres && ${damage}`)
    await start()
    const said = `journalctl --unit tappass-postgres --boot --output cat --grep 'is not started' --lines 1`
    assert.match(await inside(server, `for try in $(seq 100); do ${said} && exit; sleep 0.2; done; exit 1`), says)
    const { code, events } = await plan(server)
    assert.equal(code, 5)
    assert.match(JSON.stringify(events), refused)
    assert.notEqual(await inside(server, 'systemctl is-active tappass-postgres || true'), 'active')
    await inside(server, `${mend}; sync`)
    await inside(server, active)
    await untilHealthy(server)
    assert.equal(await inside(server, 'cat /var/lib/tappass-cluster; ls /var/lib/tappass/postgres'), before)
    assert.ok(Number(await inside(server, `${psql} --command 'SELECT count(*) FROM audit_events'`)) >= Number(rows))
    await assertNothingToDo(server)
  })
}
