/** The `lab` program: machines for people and scripts. Data on stdout, talk on stderr. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Argv } from './execution.ts'
import { cut, down, list, type MachineOptions, reboot, runLine, shellLine, up } from './machine.ts'
import { ensureOutside } from './network.ts'
import { prepare } from './preparation.ts'
import { makeVendorClone } from './vendor/clone.ts'

const help = `Real systemd machines for tests (docs/how-to/lab.md).

  lab up NAME [OPTION…]    make the machine, or boot it again; prints one JSON line
      --tree bare|docker|bookworm   what it starts from
      --air-gapped                  it reaches this host only
      --vendors                     this host answers under the vendors' names (see "lab clone")
      --ipv6-only                   it has no IPv4 address
      --proxy                       it reaches nothing but an HTTP proxy on this host
      --memory MEGABYTES            it has no more memory
  lab clone FOLDER         a clone of this repository with the pins of what --vendors gives
  lab run NAME COMMAND…    run a command in it as root; its streams and exit code are passed on
                           (one argument with spaces goes to sh, several are run as they are)
  lab shell NAME           a shell with a terminal
  lab reboot NAME          reboot, and wait until it is up again; prints the JSON line
  lab kill NAME            cut its power; "up" boots it again
  lab down NAME            take it away with all its files
  lab list                 one JSON line for each machine
  lab outside COMMAND…     run a program of this host as from elsewhere on the network
  lab prepare              build all that machines are made from (test/lab/prepare also installs what that needs)
`

class UsageError extends Error {}

/** Replaces this process by another program, so that streams, signals, terminal and exit code are that program's. */
function become(argv: Argv): never {
  const [program, ...rest] = argv
  const path = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':')
  const environment = { PATH: path, TERM: process.env['TERM'] ?? 'dumb', LANG: 'C.UTF-8' }
  process.execve?.('/usr/bin/env', ['env', program, ...rest], environment)
  throw new Error('this Node can not replace its process: 24 or newer is needed')
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** One argument that holds more than a word is shell text, as with ssh; a list is run as it is. */
function commandOf(words: readonly string[]): string | Argv {
  const [first, ...rest] = words
  if (first === undefined) throw new UsageError('a command is needed')
  return rest.length === 0 && /[\s;&|<>$]/.test(first) ? first : [first, ...rest]
}

function machineOptionsOf(words: readonly string[]): MachineOptions {
  const [flag, text] = [{ type: 'boolean' }, { type: 'string' }] as const
  const flags = { 'air-gapped': flag, vendors: flag, 'ipv6-only': flag, proxy: flag } as const
  const { values } = parseArgs({ args: [...words], options: { ...flags, tree: text, memory: text } })
  if (values.memory !== undefined && !/^[1-9]\d*$/.test(values.memory)) throw new UsageError('--memory takes megabytes')
  return {
    isAirGapped: values['air-gapped'] ?? false,
    hasVendors: values.vendors ?? false,
    isIpv6Only: values['ipv6-only'] ?? false,
    isProxied: values.proxy ?? false,
    ...(values.tree === undefined ? {} : { tree: values.tree }),
    ...(values.memory === undefined ? {} : { memoryMegabytes: Number(values.memory) }),
  }
}

const verbs: Readonly<Record<string, (name: string, rest: readonly string[]) => Promise<void>>> = {
  up: async (name, rest) => {
    print(await up(name, machineOptionsOf(rest)))
  },
  clone: async (folder) => makeVendorClone(resolve(folder)),
  run: async (name, rest) => become(await runLine(name, commandOf(rest))),
  shell: async (name) => become(await shellLine(name)),
  reboot: async (name) => print(await reboot(name)),
  kill: async (name) => cut(name),
  down: async (name) => {
    if (!(await down(name))) process.stderr.write(`lab: there was no machine ${name}\n`)
  },
}

async function prepareAll(): Promise<void> {
  const failures = await prepare()
  if (failures.length > 0) throw new Error(`not everything could be built:\n${failures.join('\n')}`)
}

async function main(words: readonly string[]): Promise<void> {
  const [verb = 'help', name, ...rest] = words
  if (['help', '--help', '-h'].includes(verb)) {
    process.stdout.write(help)
    return
  }
  if (process.getuid?.() !== 0) throw new Error('machines need root: namespaces, mounts and control groups')
  if (verb === 'prepare') await prepareAll()
  else if (verb === 'list') for (const machine of await list()) print(machine)
  else if (verb === 'outside' && name !== undefined) {
    become(['ip', 'netns', 'exec', await ensureOutside(), name, ...rest])
  } else {
    const act = verbs[verb]
    if (act === undefined) throw new UsageError(`there is no "lab ${verb}"`)
    if (name === undefined) throw new UsageError(`"lab ${verb}" needs the name of a machine`)
    await act(name, rest)
  }
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  const { message, cause } = error as Error
  process.stderr.write(`lab: ${message}${cause instanceof Error ? `: ${cause.message}` : ''}\n`)
  if (error instanceof UsageError) process.stderr.write(`\n${help}`)
  process.exitCode = error instanceof UsageError ? 64 : 1
}
