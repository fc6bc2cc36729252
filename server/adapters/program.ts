/** Programs of this machine: run to their end, with what they printed. */
import { spawn } from 'node:child_process'

const OUTPUT_CHARS_MAX = 1_000_000

/** Runs a program to its end. 127: it could not be started. Of a long output the last part is kept. */
export function runProgram(
  [program, ...words]: readonly [string, ...string[]],
  input = '',
): Promise<Readonly<{ code: number; stdout: string; stderr: string }>> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-OUTPUT_CHARS_MAX)
      })
    child.once('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 1, ...output }))
    child.stdin.on('error', () => undefined).end(input)
  })
}
