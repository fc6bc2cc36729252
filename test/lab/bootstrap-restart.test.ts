/** Both instances restart, one after the other, again and again, under load: no call may fail, no stream be cut. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { load } from './load.ts'
import { bootstrap, bootstrappedServer, type Door, door, inside, mainPids, type Server, writeSpec } from './server.ts'

let server: Server
let through: Door

before(async () => {
  server = await bootstrappedServer('proof-restart', 10)
  through = await door(server)
})
after(async () => {
  await through?.close()
  await server?.close()
})

const callsMin = 5_000

test(`rolling restarts by hand and by the toolkit: 0 of at least ${callsMin} calls fail`, async () => {
  const { key } = await through.agent('restart')
  const pids = await mainPids(server)
  let restarts = 0
  let isRestarting = true
  const restarting = async (): Promise<void> => {
    while (restarts < 4) {
      await inside(server, 'systemctl restart tappass@1.service && systemctl restart tappass@2.service')
      restarts += 1
    }
    await writeSpec(server, (spec) => ({
      ...spec,
      gateway: { callsMax: 1_000_000, upstream: server.upstream.url, logLevel: 'warn' },
    }))
    await bootstrap(server)
    isRestarting = false
  }
  const [tally] = await Promise.all([
    load(through, key, 12, ({ sent }) => !isRestarting && sent >= callsMin),
    restarting().finally(() => {
      isRestarting = false
    }),
  ])
  const now = await mainPids(server)
  assert.deepEqual(tally.failures, [])
  assert.ok(tally.acknowledged.length >= callsMin && tally.streamed >= callsMin / 10, JSON.stringify(tally.sent))
  assert.notEqual(now['tappass@1'], pids['tappass@1'])
  assert.notEqual(now['tappass@2'], pids['tappass@2'])
  for (const unit of ['tappass-postgres', 'tappass-redis', 'tappass-caddy', 'docker'])
    assert.equal(now[unit], pids[unit], unit)
})
