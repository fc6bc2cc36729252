/** A machine of the lab, for tests and for the `lab` program: made, booted, entered, cut off, and taken away. */
import { readdir, rm } from 'node:fs/promises'
import { boot, cutPower, dropTraces, isRunning, leaderOf, waitUntilUp } from './boot.ts'
import { memoryKills } from './control-group.ts'
import { type Argv, demand, type ExecutionOptions, execute, type Output } from './execution.ts'
import { withLock } from './lock.ts'
import {
  addressOf,
  claimNumber,
  dropNetwork,
  ensureNetwork,
  ensureOutside,
  hostAddressFor,
  networkName,
  straysOf,
} from './network.ts'
import {
  listRecords,
  type MachineRecord,
  machineName,
  machinePath,
  readRecord,
  type Surroundings,
  writeRecord,
} from './record.ts'
import { dropMounts, ensureIdentity, ensureMounted } from './root.ts'
import { cachePath } from './setting.ts'
import { ensureTree } from './tree.ts'
import { writeVendorSettings } from './vendor/setting.ts'

/** A machine that is up. `key` and `knownHosts` are files; `pid` is the host's number of its process 1 (systemd). */
export type Machine = Readonly<{
  name: string
  address: string
  user: 'root'
  key: string
  knownHosts: string
  pid: number
}>

/** `tree` names the file tree to start from, `bare` unless given. An air-gapped machine reaches this host alone. */
export type MachineOptions = Surroundings & Readonly<{ isAirGapped?: boolean; tree?: string }>

const lockOf = (name: string): string => cachePath('locks', `machine-${name}`)

function machineOf(record: MachineRecord, pid: number): Machine {
  const { name } = record
  const [key, knownHosts] = [machinePath(name, 'key'), machinePath(name, 'known_hosts')]
  return { name, address: addressOf(record), user: 'root', key, knownHosts, pid }
}

async function recordOf(name: string): Promise<MachineRecord> {
  const record = await readRecord(machineName(name))
  if (record === undefined) throw new Error(`there is no machine ${name}: make it with test/lab/lab up ${name}`)
  return record
}

async function leaderFor(name: string): Promise<number> {
  const leader = await leaderOf(await recordOf(name))
  if (leader === undefined) throw new Error(`machine ${name} is off: boot it with test/lab/lab up ${name}`)
  return leader
}

async function makeRecord(
  name: string,
  { tree, isAirGapped = false, ...rest }: MachineOptions,
): Promise<MachineRecord> {
  const folder = await ensureTree(tree ?? 'bare')
  await claimNumber(listRecords, (number) => writeRecord({ ...rest, name, number, isAirGapped, tree: folder }))
  return recordOf(name)
}

/** Makes a machine, or boots it again when it is off, and gives it once its SSH answers. Nothing happens to one that is up. */
export async function up(name: string, options: MachineOptions = {}): Promise<Machine> {
  machineName(name)
  return withLock(lockOf(name), async () => {
    const record = (await readRecord(name)) ?? (await makeRecord(name, options))
    if (await isRunning(record)) return machineOf(record, await waitUntilUp(record))
    const settingsPath = await writeVendorSettings(record)
    await ensureMounted(record)
    await ensureIdentity(record)
    await ensureNetwork(record, machinePath(name))
    return machineOf(record, await boot(record, settingsPath))
  })
}

/** The program and arguments that run a command inside a machine whose process 1 has the number `pid`. */
export function entering(pid: number, command: Argv): Argv {
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'USER=root',
    'LOGNAME=root',
    'SHELL=/bin/bash',
    'LANG=C.UTF-8',
  ]
  return ['nsenter', `--target=${pid}`, '--all', '--', 'env', '-i', '-C', '/root', ...environment, ...command]
}

/** Gives the command line to run: a text goes to `sh`, a list is run as it is. */
export function commandLine(command: string | Argv): Argv {
  return typeof command === 'string' ? ['sh', '-c', command] : command
}

/** Runs a command as root inside the machine, without a terminal, and gives what it said. */
export async function run(
  machine: Pick<Machine, 'name'>,
  command: string | Argv,
  options: ExecutionOptions = {},
): Promise<Output> {
  return execute(entering(await leaderFor(machine.name), commandLine(command)), options)
}

/** Gives the program and arguments with which `lab run` replaces itself. */
export async function runLine(name: string, command: string | Argv): Promise<Argv> {
  return entering(await leaderFor(name), commandLine(command))
}

/** Gives the program and arguments of a shell with a terminal of the machine's own, over SSH. */
export async function shellLine(name: string): Promise<Argv> {
  const { key, knownHosts, address } = machineOf(await recordOf(name), await leaderFor(name))
  const options = ['-o', 'StrictHostKeyChecking=yes', '-o', 'LogLevel=ERROR', '-o', 'IdentitiesOnly=yes']
  return ['ssh', '-t', '-i', key, '-o', `UserKnownHostsFile=${knownHosts}`, ...options, `root@${address}`]
}

/** Reboots the machine in its own way, and gives it once it is up again. One that is off is booted. */
export async function reboot(name: string): Promise<Machine> {
  const record = await recordOf(name)
  const before = await leaderOf(record)
  if (before === undefined) return up(name)
  return withLock(lockOf(name), async () => {
    await demand(entering(before, ['systemctl', 'reboot', '--no-block']))
    return machineOf(record, await waitUntilUp(record, before))
  })
}

/** Cuts the power: no process inside is told. What programs had written stays, also what was never synced. */
export async function cut(name: string): Promise<void> {
  machineName(name)
  await withLock(lockOf(name), async () => cutPower(await recordOf(name)))
}

/** Takes the machine away with all that belongs to it. Gives whether there was one. */
export async function down(name: string): Promise<boolean> {
  machineName(name)
  const wasThere = await withLock(lockOf(name), async () => {
    const record = await readRecord(name)
    if (record !== undefined) {
      await cutPower(record)
      await dropTraces(record)
    }
    await dropMounts(name)
    if (record !== undefined) await dropNetwork(record.number)
    const hadFiles = (await readdir(machinePath(name)).catch(() => [])).length > 0
    await rm(machinePath(name), { recursive: true, force: true, maxRetries: 10 })
    return hadFiles
  })
  await rm(lockOf(name), { force: true })
  return wasThere
}

/** Gives all machines of this cache, each with its state. */
export async function list(): Promise<readonly (Machine & { state: 'up' | 'off' })[]> {
  const records = await listRecords()
  return Promise.all(
    records.map(async (record) => {
      const leader = await leaderOf(record)
      return { ...machineOf(record, leader ?? 0), state: leader === undefined ? ('off' as const) : ('up' as const) }
    }),
  )
}

/** Gives this host's address as the machine sees it: where a test's stand-in servers listen. */
export async function hostAddressOf(machine: Pick<Machine, 'name'>): Promise<string> {
  return hostAddressFor(await recordOf(machine.name))
}

/** Gives where a machine behind the proxy tried to go past it: `address protocol port` of each. */
export async function straysFrom(machine: Pick<Machine, 'name'>): Promise<readonly string[]> {
  return straysOf((await recordOf(machine.name)).number)
}

/** Gives how many processes of a machine with a limit were ended because it had no more memory. */
export async function memoryKillsOf(machine: Pick<Machine, 'name'>): Promise<number> {
  return memoryKills(networkName((await recordOf(machine.name)).number))
}

/** Runs a program of this host as from elsewhere on the network: neither the host nor a machine. It can reach machines only. */
export async function fromOutside(command: Argv, options: ExecutionOptions = {}): Promise<Output> {
  return execute(['ip', 'netns', 'exec', await ensureOutside(), ...command], options)
}
