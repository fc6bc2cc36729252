/** Runs a process of the gateway where a database is: on this machine, in a data folder, or on hosts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EXIT_CODE, type ExitCode, exitCodeOf } from '../../contract/exit-code.ts'
import { bootstrapHint, renderProcessHints } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { environmentFromFolder, environmentFromProcess, processCommand } from '../control/process-target.ts'
import { Failure, renderFailure } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import { readTargets, type Target } from '../inventory/target.ts'
import { connectors } from '../runners/connectors.ts'
import { worstExitCode } from '../session/host-session.ts'
import { connectTarget } from '../session/target-connection.ts'
import { databaseFolder, readJsonFile } from '../up/data-folder.ts'

/** A process: its file (`server/migrate.ts`), its arguments, and whether it changes anything. */
export type ServerProcess = Readonly<{ entry: string; args: readonly string[]; effect: Command['effect'] }>

/** Whether the command line names hosts. */
export function isRemote(invocation: Invocation): boolean {
  return textOptions(invocation, 'host').length > 0 || isGiven(invocation, 'inventory')
}

/** Returns the environment of the database in a data folder of `tappass up`; undefined when there is none. */
function environmentOfData(invocation: Invocation, path: string): Readonly<Record<string, string>> | undefined {
  const answers = readJsonFile(path, 'answers.json')
  const hasDatabase = answers?.['storage'] === 'supabase' || existsSync(databaseFolder(path))
  return hasDatabase ? environmentFromFolder(invocation.environment, path, answers) : undefined
}

/** Returns the environment of a database on this machine; undefined when there is none, then it is that of the host. */
function localEnvironment(invocation: Invocation): Readonly<Record<string, string>> | undefined {
  const { environment, root, workingFolder } = invocation
  const option = textOption(invocation, 'data')
  if (option === undefined) {
    return environmentFromProcess(environment) ?? environmentOfData(invocation, join(root, '.tappass', 'data'))
  }
  const path = resolve(workingFolder, option)
  const dataEnvironment = environmentOfData(invocation, path)
  if (dataEnvironment !== undefined) return dataEnvironment
  const next = `create one: tappass up --data ${option}`
  throw new Failure({ what: 'no database in the data folder', where: path, next }, EXIT_CODE.refused)
}

/** Waits for the end of a process on this machine, which an interrupt ends. Returns its exit code. */
export async function untilEnd({ interrupt }: Invocation, child: ChildProcess): Promise<ExitCode> {
  const stop = () => child.kill('SIGTERM')
  interrupt.addEventListener('abort', stop, { once: true })
  const [code] = (await once(child, 'close')) as [number | null]
  interrupt.removeEventListener('abort', stop)
  return interrupt.aborted ? EXIT_CODE.interrupted : exitCodeOf(code ?? EXIT_CODE.failed)
}

/** Runs a process on this machine, in an environment of its own. Returns its exit code. */
export async function runHere(
  invocation: Invocation,
  { entry, args }: ServerProcess,
  environment: Readonly<Record<string, string>>,
): Promise<ExitCode> {
  const { root, stdout, stderr } = invocation
  const child = spawn(process.execPath, [join(root, entry), ...args], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.write(renderProcessHints(invocation, text)))
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.write(renderProcessHints(invocation, text)))
  // An interrupt ends it: the database rolls back the open transaction.
  return await untilEnd(invocation, child)
}

async function runOnHost(
  invocation: Invocation,
  { entry, args, effect }: ServerProcess,
  target: Target,
  title = '',
): Promise<ExitCode> {
  const connection = await connectTarget(invocation, connectors, target)
  try {
    const { code, stdout, stderr } = await connection.run(
      processCommand(entry, args, effect, bootstrapHint(invocation)),
    )
    invocation.stderr.write(title)
    invocation.stdout.write(renderProcessHints(invocation, stdout))
    invocation.stderr.write(renderProcessHints(invocation, stderr))
    return exitCodeOf(code)
  } finally {
    await connection.close()
  }
}

/** Of several hosts: one that fails or hangs costs the others nothing. */
async function tryOnHost(invocation: Invocation, serverProcess: ServerProcess, target: Target): Promise<ExitCode> {
  try {
    return await runOnHost(invocation, serverProcess, target, `${target.name}\n`)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    invocation.stderr.write(`${target.name}\n${renderFailure(error.text, invocation.program)}\n`)
    return error.code
  }
}

/** Runs a process where the command line says. Returns its exit code; of several hosts, the worst. */
export async function runServerProcess(invocation: Invocation, serverProcess: ServerProcess): Promise<ExitCode> {
  const environment = isRemote(invocation) ? undefined : localEnvironment(invocation)
  if (environment !== undefined) return await runHere(invocation, serverProcess, environment)
  const targets = await readTargets(invocation)
  const [only, ...others] = targets
  if (only !== undefined && others.length === 0) return await runOnHost(invocation, serverProcess, only)
  return worstExitCode(await Promise.all(targets.map((target) => tryOnHost(invocation, serverProcess, target))))
}
