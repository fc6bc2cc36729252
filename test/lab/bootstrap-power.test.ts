/** Reboot and power cut: the server comes back by itself, and the ledger has every call that was acknowledged. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { load } from './load.ts'
import { cut, reboot, up } from './machine.ts'
import { bootstrappedServer, type Door, door, inside, mainPids, plan, type Server, untilHealthy } from './server.ts'

let server: Server
let through: Door
let key: string

before(async () => {
  server = await bootstrappedServer('proof-power')
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

/** Loads the gateway, does `interrupt` in the middle of it, and gives the calls that were acknowledged. */
const interrupted = async (interrupt: () => Promise<unknown>): Promise<readonly string[]> => {
  let isOver = false
  const enough = Promise.withResolvers<void>()
  const loading = load(through, key, 8, ({ acknowledged }) => {
    if (acknowledged.length >= 300) enough.resolve()
    return isOver
  })
  await enough.promise
  await interrupt()
  isOver = true
  return (await loading).acknowledged
}

const rows = [
  { name: 'reboot', interrupt: () => reboot(server.machine.name) },
  { name: 'power cut', interrupt: () => cut(server.machine.name).then(() => up(server.machine.name)) },
] as const

for (const { name, interrupt } of rows) {
  test(`${name} under load: back and healthy without anybody, no acknowledged call is missing from the ledger`, async () => {
    const acknowledged = await interrupted(interrupt)
    await untilHealthy(server)
    assert.equal(await inside(server, 'systemctl is-system-running --wait'), 'running')
    assert.equal((await plan(server)).code, 0)
    const ids = await ledgerIds()
    assert.ok(acknowledged.length >= 300)
    assert.deepEqual(
      acknowledged.filter((id) => !ids.has(id)),
      [],
    )
    const { status, body } = await through.admin('/audit/integrity')
    assert.equal(status, 200, JSON.stringify(body))
  })
}

const mainPid = (unit: string): string => `$(systemctl show --property=MainPID --value ${unit})`

/** What is killed, how, and the units whose main process ends by it. */
const deaths = [
  { name: 'PostgreSQL', kill: 'docker kill tappass-postgres', ended: ['tappass-postgres'] },
  { name: 'Redis', kill: 'docker kill tappass-redis', ended: ['tappass-redis'] },
  {
    name: 'Docker’s client of PostgreSQL',
    kill: `kill -9 ${mainPid('tappass-postgres')}`,
    ended: ['tappass-postgres'],
  },
  {
    name: 'the Docker engine',
    kill: `kill -9 ${mainPid('docker')}`,
    ended: ['docker', 'tappass-postgres', 'tappass-redis'],
  },
  {
    name: 'both instances of the gateway',
    kill: `kill -9 ${mainPid('tappass@1')} ${mainPid('tappass@2')}`,
    ended: ['tappass@1', 'tappass@2'],
  },
  { name: 'Caddy', kill: `kill -9 ${mainPid('tappass-caddy')}`, ended: ['tappass-caddy'] },
] as const

/** Every unit is active at six looks in a row, half a second apart: one that is about to be restarted is not taken for one that runs. */
const settled = `n=0; for try in $(seq 240); do
  systemctl is-active --quiet docker tappass-postgres tappass-redis tappass-migrate tappass@1 tappass@2 tappass-caddy && n=$((n + 1)) || n=0
  [ $n = 6 ] && exit 0; sleep 0.5; done; systemctl --no-pager list-units --all 'tappass*'; exit 1`

/** Waits until another process than `before` is the main one of each of these units: by then their end was noticed. */
const replaced = async (units: readonly string[], before: Readonly<Record<string, string>>): Promise<void> => {
  const isOld = (pid: string | undefined, unit: string): boolean => pid === '0' || pid === before[unit]
  for (let now = before; units.some((unit) => isOld(now[unit], unit)); now = await mainPids(server)) await pause(200)
}

for (const { name, kill, ended } of deaths) {
  test(`${name} is killed: it comes back without anybody, and calls are answered`, async () => {
    const before = await mainPids(server)
    await inside(server, kill)
    await replaced(ended, before)
    await inside(server, settled)
    await untilHealthy(server)
    const { failures } = await load(through, key, 2, ({ sent }) => sent >= 10)
    assert.deepEqual(failures, [])
    const { code, events } = await plan(server)
    assert.equal(code, 0, JSON.stringify(events))
  })
}
