/** Runs commands as root through sudo: `sudo -n`, or with a password that is sent on standard input only. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Output, Runner, Stdin } from '../core/host.ts'
import { HOST_ENVIRONMENT } from './batch.ts'

const DENIALS = [
  /password is required/,
  /no new privileges/,
  /not in the sudoers/,
  /may not run sudo/,
  /not allowed to execute/,
]

/** Returns sudo's own error message when sudo denied the command; undefined when it ran. */
export function sudoDenial({ code, stderr }: Output): string | undefined {
  if (code === 0) return undefined
  const message = stderr.split('\n').find((row) => /\bsudo/i.test(row) && DENIALS.some((denial) => denial.test(row)))
  return (
    message ?? (code === 127 && /sudo.*(not found|No such file)/.test(stderr) ? 'sudo is not installed' : undefined)
  )
}

async function* withPrefix(text: string, stdin: Stdin | undefined): AsyncIterable<Uint8Array> {
  yield Buffer.from(text)
  if (typeof stdin === 'string') yield Buffer.from(stdin)
  else if (stdin instanceof Uint8Array) yield stdin
  else if (stdin !== undefined) yield* stdin.open()
}

const ENVIRONMENT = Object.entries(HOST_ENVIRONMENT).map(([name, value]) => `${name}=${value}`)

/** Returns the command under sudo. A password is the first line of standard input, where sudo reads it byte by byte. */
export function withSudo(command: Command, password?: string): Command {
  return password === undefined
    ? { ...command, argv: ['sudo', '-n', '--', 'env', ...ENVIRONMENT, ...command.argv] }
    : {
        ...command,
        // -k: always read the password; with cached credentials the line would reach the command instead.
        argv: ['sudo', '-S', '-k', '-p', '', '--', 'env', ...ENVIRONMENT, ...command.argv],
        stdin: { open: () => withPrefix(`${password}\n`, command.stdin) },
      }
}

function rootRequired(why: string, cause?: unknown): Failure {
  return new Failure(
    {
      what: 'root privileges required',
      why,
      next: 'connect as root (--host root@…), or allow the account to use sudo',
    },
    EXIT_CODE.refused,
    cause,
  )
}

/**
 * Returns a runner that runs commands as root. `askPassword` is called once, and only if sudo needs a password; the password is
 * verified with `true` first. The runner throws a `Failure` (exit 5) when sudo denies.
 */
export function asRoot(run: Runner, askPassword?: () => Promise<string>): Runner {
  let password: Promise<string> | undefined
  const authenticate = async (denial: string): Promise<string> => {
    if (askPassword === undefined) throw rootRequired(denial)
    const answer = await askPassword()
    const output = await run(withSudo({ argv: ['true'], effect: 'read' }, answer))
    if (output.code !== 0) throw rootRequired(sudoDenial(output) ?? 'sudo rejected the password')
    return answer
  }
  return async (command, onLine) => {
    const known = await password
    const output = await run(withSudo(command, known), onLine)
    const denial = known === undefined ? sudoDenial(output) : undefined
    if (denial === undefined) return output
    password ??= authenticate(denial)
    return await run(withSudo(command, await password), onLine)
  }
}
