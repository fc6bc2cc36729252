/** `tappass migrate status|up|verify|baseline`: runs the migration process on a database; see docs/reference/migrations.md. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { environmentFromFolder, environmentFromProcess, migrateCommand } from '../control/migration-target.ts'
import { Failure, renderNext } from '../core/failure.ts'
import { connectors } from '../runners/connectors.ts'
import { connectTarget, worstExitCode } from '../session/host-session.ts'
import { readTargets, type Target } from '../spec/target.ts'
import { databaseFolder, readJsonFile } from '../up/data-folder.ts'

/** The arguments of the migration process, which has the same option names. */
function migrateArguments(invocation: Invocation): readonly string[] {
  const [at, lockTimeout] = [textOption(invocation, 'at'), textOption(invocation, 'lock-timeout')]
  return [
    invocation.action ?? '',
    ...(at === undefined ? [] : ['--at', at]),
    ...(lockTimeout === undefined ? [] : ['--lock-timeout', lockTimeout]),
    ...(isGiven(invocation, 'json') ? ['--json'] : []),
  ]
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

async function runHere(invocation: Invocation, environment: Readonly<Record<string, string>>): Promise<number> {
  const { root, stdout, stderr, interrupt } = invocation
  const args = [join(root, 'server', 'migrate.ts'), ...migrateArguments(invocation)]
  const child = spawn(process.execPath, args, { env: { ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.on('data', (chunk: Buffer) => stdout.write(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.write(chunk))
  // The database rolls back the open transaction.
  const stop = () => child.kill('SIGTERM')
  interrupt.addEventListener('abort', stop, { once: true })
  const [code] = (await once(child, 'close')) as [number | null]
  interrupt.removeEventListener('abort', stop)
  return interrupt.aborted ? EXIT_CODE.interrupted : (code ?? EXIT_CODE.failed)
}

async function runOnHost(invocation: Invocation, target: Target): Promise<ExitCode> {
  const connection = await connectTarget(invocation, connectors, target)
  try {
    const effect = invocation.action === 'status' || invocation.action === 'verify' ? 'read' : 'change'
    const { code, stdout, stderr } = await connection.run(
      migrateCommand(
        migrateArguments(invocation),
        effect,
        renderNext(hostCommandHint(invocation, 'bootstrap'), invocation.program),
      ),
    )
    invocation.stdout.write(stdout)
    invocation.stderr.write(stderr)
    return code as ExitCode
  } finally {
    await connection.close()
  }
}

/** Returns the exit code of the migration process; of several hosts, the worst. */
export async function run(invocation: Invocation): Promise<number> {
  const isRemote = textOptions(invocation, 'host').length > 0 || isGiven(invocation, 'inventory')
  const environment = isRemote ? undefined : localEnvironment(invocation)
  if (environment !== undefined) return await runHere(invocation, environment)
  const targets = await readTargets(invocation)
  const codes: ExitCode[] = []
  for (const target of targets) {
    if (targets.length > 1) invocation.stderr.write(`${target.name}\n`)
    codes.push(await runOnHost(invocation, target))
  }
  return worstExitCode(codes)
}
