/** `tappass migrate status|up|verify|baseline`: runs the migration process on a database; see docs/reference/migrations.md. */
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { runServerProcess } from '../server-process/server-process.ts'

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

/** Returns the exit code of the migration process; of several hosts, the worst. */
export async function run(invocation: Invocation): Promise<number> {
  const effect = invocation.action === 'status' || invocation.action === 'verify' ? 'read' : 'change'
  const args = migrateArguments(invocation)
  return runServerProcess(invocation, { entry: 'server/migrate.ts', args, effect })
}
