/** Types a command line at `scripts/cli.ts` in this process, with streams, folders and interrupts of the test's own. */
import { PassThrough } from 'node:stream'
import { main } from '../../scripts/cli.ts'

/** What a test may set; by default no terminal, an empty environment, and the clone's own folder as root. */
export type Typing = Readonly<{
  root?: string
  workingFolder?: string
  environment?: Readonly<Record<string, string>>
  isTerminal?: boolean
}>

/** A command line that runs. `code` is its exit code to be; `until` waits for a text on a stream. */
export type Typed = Readonly<{
  code: Promise<number>
  stdout: () => string
  stderr: () => string
  until: (stream: 'stdout' | 'stderr', pattern: RegExp) => Promise<RegExpMatchArray>
  answer: (line: string) => void
  interrupt: (reason: 'SIGINT' | 'SIGTERM') => void
}>

const gather = (stream: PassThrough) => {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk) => {
    text += chunk
  })
  return () => text
}

/** Starts one. The clone's root is two folders up from here. */
export const typeCommand = (words: readonly string[], typing: Typing = {}): Typed => {
  const isTTY = typing.isTerminal === true
  const makeStream = () => Object.assign(new PassThrough(), { isTTY })
  const [stdin, stdout, stderr] = [makeStream(), makeStream(), makeStream()]
  const controller = new AbortController()
  const texts = { stdout: gather(stdout), stderr: gather(stderr) }
  const root = typing.root ?? new URL('../..', import.meta.url).pathname.replace(/\/$/, '')
  const code = main(words, {
    root,
    program: 'tappass',
    workingFolder: typing.workingFolder ?? root,
    environment: typing.environment ?? {},
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    nowMs: () => Date.now(),
    interrupt: controller.signal,
  })
  const streams = { stdout, stderr }
  const until = (stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = texts[stream]().match(pattern)
        if (match === null) return
        streams[stream].off('data', look)
        resolve(match)
      }
      streams[stream].on('data', look)
      look()
      const tellEnd = (how: unknown) =>
        reject(new Error(`ended (${how}) before ${pattern}:\n${texts.stdout()}\n${texts.stderr()}`))
      code.then((ended) => setImmediate(() => tellEnd(ended)), tellEnd)
    })
  return {
    code,
    ...texts,
    until,
    answer: (line) => stdin.write(`${line}\n`),
    interrupt: (reason) => controller.abort(reason),
  }
}
