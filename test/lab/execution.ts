/** Programs on the machine that the lab runs on: one asks for the outcome, the other insists on success. Not by zx: the lab is prepared before any dependency is installed. */
import { spawn } from 'node:child_process'

/** What a program said. `code` is its exit code, 128 + n after signal n. */
export type Output = Readonly<{ code: number; stdout: string; stderr: string }>

/** `env` replaces the environment; `timeoutMs` ends the program with SIGKILL (code 137). */
export type ExecutionOptions = Readonly<{
  stdin?: string | Uint8Array
  cwd?: string
  env?: Readonly<Record<string, string | undefined>>
  timeoutMs?: number
}>

export type Argv = readonly [string, ...string[]]

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 }

/**
 * Runs a program to its end and gives what it said: code 127 when there is no such program. It dies with this process:
 * the kernel lets go of a lock when its holder is killed, and what the lock guarded must not go on after that.
 */
export function execute(argv: Argv, options: ExecutionOptions = {}): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env as NodeJS.ProcessEnv }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
      stdio: 'pipe',
    })
    const said: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => said[0].push(chunk))
    child.stderr.on('data', (chunk: Buffer) => said[1].push(chunk))
    child.on('error', (cause) => reject(new Error(`${argv[0]} could not be started`, { cause })))
    child.on('close', (code, signal) =>
      resolve({
        code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0),
        stdout: Buffer.concat(said[0]).toString(),
        stderr: Buffer.concat(said[1]).toString(),
      }),
    )
    child.stdin.on('error', () => {}) // a program that does not read its input is not an error
    child.stdin.end(options.stdin)
  })
}

/** Runs a program and gives its standard output; throws with its last words when it fails. */
export async function demand(argv: Argv, options: ExecutionOptions = {}): Promise<string> {
  const output = await execute(argv, options)
  if (output.code === 0) return output.stdout
  const words = (output.stderr || output.stdout).trim().split('\n').slice(-15).join('\n')
  throw new Error(`${argv.join(' ')} failed with exit code ${output.code}: ${words}`)
}
