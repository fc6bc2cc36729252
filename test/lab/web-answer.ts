/** Web servers that say who they are: one on this host, one in the outside world, for what a machine may reach. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ensureOutside, hostAddress, hostAddress6, machineAddress, machineAddress6 } from './network.ts'

/** Where both listen, on every address that they have. */
export const ANSWER_PORT = 8444

/** The addresses of this host as that machine sees it, and of the outside world, IPv4 first. */
export const answeringAddresses = (number: number) => ({
  host: [hostAddress(number), hostAddress6(number)],
  outside: [machineAddress(0), machineAddress6(0)],
})

const program = (text: string): readonly string[] => [
  process.execPath,
  '-e',
  `require('node:http').createServer((_, r) => r.end('${text}')).listen(${ANSWER_PORT}, '::', () => console.log('up'))`,
]

/** Starts both; what it returns ends them. */
export async function startAnswering(): Promise<() => void> {
  const namespace = ['ip', 'netns', 'exec', await ensureOutside()]
  const children = [program('host'), [...namespace, ...program('outside')]].map(([name = '', ...words]) =>
    spawn(name, words, { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const stop = () => {
    for (const child of children) child.kill()
  }
  try {
    for (const child of children) {
      const [chunk] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
      if (!Buffer.isBuffer(chunk)) throw new Error(`a web server ended with ${chunk}`)
    }
  } catch (error) {
    stop()
    throw error
  }
  return stop
}
