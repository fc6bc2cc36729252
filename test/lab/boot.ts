/** Starting, finding and stopping the systemd of a machine. It outlives the process that started it. */
import { spawn } from 'node:child_process'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endGroup, groupMembers, isPopulated, limitMemory, makeGroup } from './control-group.ts'
import { isPresent } from './keyed-folder.ts'
import { addressOf, networkName } from './network.ts'
import { type MachineRecord, machinePath } from './record.ts'
import { rootPath } from './root.ts'

const bootTimeoutMs = 120_000

/**
 * The supervisor: joins the machine's control groups, starts this host as the vendors where the machine has them, then boots it, and again
 * whenever it asks for a reboot (133). What is on this host ends with the machine.
 */
const supervisor = `while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift
vendors=; if [ -n "$LAB_SETTINGS" ]; then "$LAB_NODE" "$LAB_VENDORS" "$LAB_SETTINGS" & vendors=$!; fi
while :; do
  sh -c 'echo $$ > "$0" && unset LAB_NODE LAB_VENDORS LAB_SETTINGS LAB_MEMORY && exec systemd-nspawn "$@"' "$LAB_MEMORY" "$@"
  [ $? -eq 133 ] || break
done
[ -z "$vendors" ] || kill "$vendors"`

function nspawnArguments(record: MachineRecord, hasFuse: boolean): readonly string[] {
  return [
    `--directory=${rootPath(record.name)}`,
    '--boot',
    '--register=no',
    '--keep-unit',
    '--console=pipe',
    '--capability=all',
    ...(hasFuse ? ['--bind=/dev/fuse'] : []),
    `--network-namespace-path=/run/netns/${networkName(record.number)}`,
    `--machine=${networkName(record.number)}`,
    `--hostname=${record.name}`,
    '--resolv-conf=replace-host',
  ]
}

/** Says whether the machine is on. */
export function isRunning(record: MachineRecord): Promise<boolean> {
  return isPopulated(networkName(record.number))
}

/** Gives the host's number of the machine's process 1, or undefined while there is none. */
export async function leaderOf(record: MachineRecord): Promise<number | undefined> {
  for (const pid of await groupMembers(networkName(record.number), 'payload/init.scope')) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    if (/^NSpid:.*\t1$/m.test(status) && !/^State:\tZ/m.test(status)) return pid
  }
  return undefined
}

/** Says whether an SSH server greets at the address. */
function hasGreeting(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 })
    const answer = (isThere: boolean): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.setTimeout(2_000, () => answer(false))
    socket.on('data', (chunk) => answer(chunk.toString().startsWith('SSH-')))
    socket.on('error', () => answer(false))
    socket.on('close', () => resolve(false))
  })
}

/** Gives the end of what the machine said on its console, for an error. */
async function lastWords(name: string): Promise<string> {
  const text = await readFile(machinePath(name, 'console.log'), 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-20).join('\n')
}

/**
 * Waits until the machine's SSH answers, and gives its process 1. `before` is the process 1 that is on its way
 * out, when the machine is rebooting. Throws when the machine stops, or has not come up after two minutes.
 */
export async function waitUntilUp(record: MachineRecord, before?: number): Promise<number> {
  const deadline = performance.now() + bootTimeoutMs
  while (performance.now() < deadline) {
    if (!(await isRunning(record))) {
      throw new Error(`machine ${record.name} stopped while it was starting:\n${await lastWords(record.name)}`)
    }
    const leader = await leaderOf(record)
    const isNew = leader !== undefined && leader !== before
    if (isNew && (await hasGreeting(addressOf(record)))) return leader
    await pause(25)
  }
  throw new Error(
    `machine ${record.name} has not come up in ${bootTimeoutMs / 1000} s:\n${await lastWords(record.name)}`,
  )
}

/** The program that stands in for vendors on this host. */
const vendorHost = join(import.meta.dirname, 'vendor/host.ts')

/**
 * Boots the machine. Its supervisor is in a session of its own, and knows nothing of the caller's environment. `settingsPath`: the settings
 * of this host as the vendors, where the machine has them.
 */
export async function boot(record: MachineRecord, settingsPath?: string): Promise<number> {
  const id = networkName(record.number)
  await endGroup(id) // leftovers of a crash
  const joins = await makeGroup(id)
  const log = await open(machinePath(record.name, 'console.log'), 'a')
  const { memoryMegabytes } = record
  const nspawn = nspawnArguments(record, await isPresent('/dev/fuse'))
  const child = spawn('sh', ['-c', supervisor, 'lab-machine', ...joins, '--', ...nspawn], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network',
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
      SYSTEMD_SECCOMP: '0',
      LAB_NODE: process.execPath,
      LAB_VENDORS: vendorHost,
      LAB_SETTINGS: settingsPath ?? '',
      LAB_MEMORY: memoryMegabytes === undefined ? '/dev/null' : await limitMemory(id, memoryMegabytes),
    },
  })
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  child.unref()
  await log.close()
  for (let attempt = 0; !(await isRunning(record)) && attempt < 100; attempt += 1) await pause(10)
  return waitUntilUp(record)
}

/** Ends the machine as a power cut does: nothing inside is told. Its files stay as they are. */
export async function cutPower(record: MachineRecord): Promise<void> {
  const id = networkName(record.number)
  const leader = await leaderOf(record)
  await endGroup(id)
  // Process 1 is gone only when every process of its namespace is, those of `lab run` among them.
  const isLeft = async (): Promise<boolean> =>
    leader !== undefined && /^State:\t[^Z]/m.test(await readFile(`/proc/${leader}/status`, 'utf8').catch(() => ''))
  for (let attempt = 0; (await isLeft()) && attempt < 500; attempt += 1) await pause(10)
}

/** Removes what systemd-nspawn leaves on the host when it is killed. */
export async function dropTraces(record: MachineRecord): Promise<void> {
  const folder = '/run/systemd/nspawn'
  await rm(`${folder}/propagate/${networkName(record.number)}`, { recursive: true, force: true })
  const root = await stat(rootPath(record.name)).catch(() => undefined)
  if (root !== undefined) await rm(`${folder}/locks/inode-${root.dev}:${root.ino}`, { force: true })
}
