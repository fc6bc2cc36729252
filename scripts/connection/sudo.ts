/** Root's rights for a connection that has a user's: `sudo -n`, or with a password that travels on standard input only. */

import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Output, Runner, Stdin } from '../core/host.ts'
import { HOST_ENVIRONMENT } from './batch.ts'

const REFUSALS = [
  /password is required/,
  /no new privileges/,
  /not in the sudoers/,
  /may not run sudo/,
  /not allowed to execute/,
]

/** Why sudo itself refused, in its own words; undefined when it ran the command. */
export function sudoRefusal({ code, stderr }: Output): string | undefined {
  if (code === 0) return undefined
  const said = stderr.split('\n').find((row) => /\bsudo/i.test(row) && REFUSALS.some((refusal) => refusal.test(row)))
  return said ?? (code === 127 && /sudo.*(not found|No such file)/.test(stderr) ? 'there is no sudo' : undefined)
}

async function* prefixed(text: string, stdin: Stdin | undefined): AsyncIterable<Uint8Array> {
  yield Buffer.from(text)
  if (typeof stdin === 'string') yield Buffer.from(stdin)
  else if (stdin instanceof Uint8Array) yield stdin
  else if (stdin !== undefined) yield* stdin.open()
}

const ENVIRONMENT = Object.entries(HOST_ENVIRONMENT).map(([name, value]) => `${name}=${value}`)

/** The command under sudo. With a password, its line goes first on standard input, where sudo reads it byte by byte. */
export function underSudo(command: Command, password?: string): Command {
  return password === undefined
    ? { ...command, argv: ['sudo', '-n', '--', 'env', ...ENVIRONMENT, ...command.argv] }
    : {
        ...command,
        // -k: always read the password; were a cached one used, the line would reach the command instead.
        argv: ['sudo', '-S', '-k', '-p', '', '--', 'env', ...ENVIRONMENT, ...command.argv],
        stdin: { open: () => prefixed(`${password}\n`, command.stdin) },
      }
}

function needsRoot(why: string, cause?: unknown): Failure {
  return new Failure(
    { what: 'root is needed', why, next: 'connect as root, or give the account sudo' },
    EXIT_CODE.refused,
    cause,
  )
}

/**
 * Takes a runner with a user's rights. `askPassword` is called once, and only if sudo wants a password; its answer is tried on
 * `true` before anything else is sent with it. The runner throws a `Failure` (exit 5) when sudo refuses.
 */
export function asRoot(run: Runner, askPassword?: () => Promise<string>): Runner {
  let password: Promise<string> | undefined
  const unlock = async (said: string): Promise<string> => {
    if (askPassword === undefined) throw needsRoot(said)
    const typed = await askPassword()
    const tried = await run(underSudo({ argv: ['true'], effect: 'read' }, typed))
    if (tried.code !== 0) throw needsRoot(sudoRefusal(tried) ?? 'sudo did not take the password')
    return typed
  }
  return async (command, hear) => {
    const known = await password
    const output = await run(underSudo(command, known), hear)
    const said = known === undefined ? sudoRefusal(output) : undefined
    if (said === undefined) return output
    password ??= unlock(said)
    return await run(underSudo(command, await password), hear)
  }
}
