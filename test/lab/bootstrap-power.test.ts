/** Reboot and power cut: the server comes back by itself, and the ledger has every call that was acknowledged. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { load } from './load.ts'
import { cut, reboot, up } from './machine.ts'
import { bootstrappedServer, type Door, door, inside, plan, type Server, untilHealthy } from './server.ts'

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
