/**
 * What goes wrong around a run: a mirror breaks off, a disk fills, other hosts of the same run can't be reached. Each is told by what failed and what
 * to do, and the next run completes. That a lock of apt is waited for: bootstrap-here.test.ts.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Event } from '../../scripts/output/event.ts'
import { type HalfMirror, startHalfMirror } from './half-mirror.ts'
import { down, hostAddressOf, type Machine, up } from './machine.ts'
import {
  assertNothingToDo,
  bareServer,
  claimName,
  eventsOf,
  hostWords,
  inside,
  type Server,
  toolkit,
  untilHealthy,
} from './server.ts'

let server: Server
let mirror: HalfMirror
let stranger: Machine | undefined
before(async () => {
  server = await bareServer('proof-fault')
  mirror = await startHalfMirror(await hostAddressOf(server.machine))
  await inside(server, `sed -i 's#http:/#${mirror.url}#' /etc/apt/sources.list`)
})
after(async () => {
  await server?.close()
  await mirror?.stop()
  if (stranger !== undefined) await down(stranger.name)
})

/** Runs to a failure, and gives it. */
const failure = async (): Promise<Extract<Event, { event: 'step-failed' }>['failure']> => {
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json'])
  const failed = eventsOf(output).find((event) => event.event === 'step-failed')
  assert.ok(failed, output.stdout.slice(-3_000))
  assert.equal(output.code, 1)
  return failed.failure
}

test('a mirror breaks off in the middle of a package: apt’s words, the package, exit 1', async () => {
  const { resource, output, next } = await failure()
  assert.match(resource, /^apt-package:/)
  assert.match(output.join('\n'), /^E: Failed to fetch http\S+\.deb /m)
  assert.ok(mirror.broken.length > 0)
  assert.ok(next !== '')
  assert.equal(await inside(server, 'dpkg --audit'), '')
})

test('a disk fills while programs are unpacked: “No space left”, exit 1, and nothing half is in force', async () => {
  mirror.isHalf = false
  await inside(server, 'mkdir -p /opt/tappass && mount -t tmpfs -o size=24m,mode=0755 tmpfs /opt/tappass')
  const { resource, output, next } = await failure()
  assert.match(output.join('\n'), /No space left on device/, resource)
  assert.ok(next !== '')
  assert.equal(
    await inside(server, 'ls /opt/tappass/current 2>&1 || true'),
    "ls: cannot access '/opt/tappass/current': No such file or directory",
  )
  await inside(server, 'umount /opt/tappass')
})

test('three hosts at once, one unreachable and one with another key: the next run completes the third, exit 6', async () => {
  stranger = await up(await claimName('proof-fault-stranger'))
  const known = await readFile(server.machine.knownHosts, 'utf8')
  const key = known.slice(known.indexOf(' '))
  const knownHosts = join(server.folder, 'known_hosts')
  await writeFile(knownHosts, `${known}${stranger.address}${key}10.77.0.250${key}`)
  const hosts = [stranger.address, '10.77.0.250', server.machine.address].flatMap((each) => ['--host', `root@${each}`])
  const rest = ['--identity', server.machine.key, '--known-hosts', knownHosts, '--config', server.specPath]
  const output = await toolkit(['bootstrap', ...hosts, ...rest, '--yes', '--json'])
  assert.equal(output.code, 6, output.stdout.slice(-3_000))
  const ends = eventsOf(output).flatMap((event) =>
    event.event === 'run-finished' ? [[(event as Event & { host: string }).host, event.outcome]] : [],
  )
  assert.deepEqual(Object.fromEntries(ends), {
    [`root@${stranger.address}`]: 'unreachable',
    'root@10.77.0.250': 'unreachable',
    [`root@${server.machine.address}`]: 'up-to-date',
  })
  const said = `${output.stdout}${output.stderr}`
  assert.match(said, /host key/i)
  await untilHealthy(server)
  await assertNothingToDo(server)
})
