/** `tappass migrate status|up|verify|baseline`: the schema of a database; see docs/reference/migrations.md. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { readSshAccess } from '../connection/ssh-access.ts'
import { environmentFromAround, environmentFromFolder, migrateOnHost } from '../control/migration-target.ts'
import { EXIT_CODE, type ExitCode } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { worstOf } from '../session/host-session.ts'
import { readTargets, type Target } from '../spec/target.ts'
import { databaseFolder, readNote } from '../up/data-folder.ts'

/** The words for the migrations' process, which has the same names for its options. */
function wordsOf(invocation: Invocation): readonly string[] {
  const [at, lockTimeout] = [textOption(invocation, 'at'), textOption(invocation, 'lock-timeout')]
  return [
    invocation.action ?? '',
    ...(at === undefined ? [] : ['--at', at]),
    ...(lockTimeout === undefined ? [] : ['--lock-timeout', lockTimeout]),
    ...(isGiven(invocation, 'json') ? ['--json'] : []),
  ]
}

/** The environment that leads to the database of a data folder of `tappass up`; undefined when that keeps none. */
function environmentOfData(invocation: Invocation, path: string): Readonly<Record<string, string>> | undefined {
  const answers = readNote(path, 'answers.json')
  const isThere = answers?.['storage'] === 'supabase' || existsSync(databaseFolder(path))
  return isThere ? environmentFromFolder(invocation.environment, path, answers) : undefined
}

/** The environment that leads to a database here; undefined when there is none, so that it must be the host's. */
function environmentHere(invocation: Invocation): Readonly<Record<string, string>> | undefined {
  const { environment, root, workingFolder } = invocation
  const option = textOption(invocation, 'data')
  if (option === undefined) {
    return environmentFromAround(environment) ?? environmentOfData(invocation, join(root, '.tappass', 'data'))
  }
  const path = resolve(workingFolder, option)
  const found = environmentOfData(invocation, path)
  if (found !== undefined) return found
  const next = `tappass up --data ${option}, which makes one`
  throw new Failure({ what: 'there is no database in the data folder', where: path, next }, EXIT_CODE.refused)
}

async function runHere(invocation: Invocation, environment: Readonly<Record<string, string>>): Promise<number> {
  const { root, stdout, stderr, interrupt } = invocation
  const words = [join(root, 'server', 'migrate.ts'), ...wordsOf(invocation)]
  const child = spawn(process.execPath, words, { env: { ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.on('data', (chunk: Buffer) => stdout.write(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.write(chunk))
  // The transaction that is open is rolled back by the database, so that nothing half is left.
  const stop = () => child.kill('SIGTERM')
  interrupt.addEventListener('abort', stop, { once: true })
  const [code] = (await once(child, 'close')) as [number | null]
  interrupt.removeEventListener('abort', stop)
  return interrupt.aborted ? EXIT_CODE.interrupted : (code ?? EXIT_CODE.failed)
}

async function runOnHost(invocation: Invocation, target: Target): Promise<ExitCode> {
  const connection =
    target.address === undefined
      ? (await import('../runners/local.ts')).connectLocal(process.getuid?.() === 0)
      : await (await import('../runners/ssh.ts')).connectSsh(target.address, readSshAccess(invocation), undefined)
  try {
    const effect = invocation.action === 'status' || invocation.action === 'verify' ? 'read' : 'change'
    const { code, stdout, stderr } = await connection.run(migrateOnHost(wordsOf(invocation), effect))
    invocation.stdout.write(stdout)
    invocation.stderr.write(stderr)
    return code as ExitCode
  } finally {
    await connection.close()
  }
}

/** Gives the exit code of the migrations' process; of several hosts, the one that needs the operator most. */
export async function run(invocation: Invocation): Promise<number> {
  const isElsewhere = textOptions(invocation, 'host').length > 0 || isGiven(invocation, 'inventory')
  const environment = isElsewhere ? undefined : environmentHere(invocation)
  if (environment !== undefined) return await runHere(invocation, environment)
  const targets = await readTargets(invocation)
  const codes: ExitCode[] = []
  for (const target of targets) {
    if (targets.length > 1) invocation.stderr.write(`${target.name}\n`)
    codes.push(await runOnHost(invocation, target))
  }
  return worstOf(codes)
}
