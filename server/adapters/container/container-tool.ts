/** Programs inside a container, run through Docker's client: how they are started, and how they end. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/** The Docker client runs as the container's account, which the server accepts as the role (peer authentication). */
export function startInContainer<Input extends 'pipe' | 'ignore' | number>(
  argv: readonly string[],
  input: Input,
  signal?: AbortSignal,
): ChildProcessByStdio<Input extends 'pipe' ? Writable : null, Readable, Readable> {
  const options = { stdio: [input, 'pipe', 'pipe'], ...(signal === undefined ? {} : { signal }) }
  return spawn('docker', ['exec', ...argv], options as never) as never
}

/** Resolves when the tool has ended well; its exit code is that of the tool inside. */
export function endOf(child: ChildProcess, what: string): Promise<void> {
  const stderr: Buffer[] = []
  child.stderr?.on('data', (piece: Buffer) => stderr.push(piece))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve()
      reject(new Error(`${what} ended with ${code ?? signal}: ${Buffer.concat(stderr).toString().trim()}`))
    })
  })
}

async function printedBy(child: ChildProcessByStdio<null, Readable, Readable>, what: string): Promise<string> {
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  await endOf(child, what)
  return Buffer.concat(pieces).toString()
}

/** What a tool prints. */
export async function outputOf(argv: readonly string[], input: 'ignore' | number, what: string): Promise<string> {
  return await printedBy(startInContainer(argv, input), what)
}

/** What Docker's client prints for these words, without the end of its last line. */
export async function docker(...words: readonly string[]): Promise<string> {
  const child = spawn('docker', [...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  return (await printedBy(child, `docker ${words[0]}`)).trim()
}

/** Words of `docker run` for a container beside the one in force, of its image and account: no network, no rights, and nothing that it may write but what it is given. */
export function confinedWords(user: string): readonly string[] {
  return [
    ...['--pull', 'never', '--network', 'none', '--user', user, '--read-only'],
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ]
}
