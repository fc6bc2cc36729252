/** Prompts on a terminal: for a line, a choice, or hidden input. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** The terminal to prompt on. `interrupt` aborts a prompt, and so does Ctrl-C. */
export type Terminal = Readonly<{
  input: NodeJS.ReadableStream
  output: NodeJS.WritableStream
  interrupt: AbortSignal
}>

/** Thrown for Ctrl-C or end of input at a prompt. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted at a prompt')
    this.name = 'Interrupted'
  }
}

async function ask(terminal: Terminal, prompt: string, isHidden: boolean): Promise<string> {
  if (isHidden) terminal.output.write(prompt)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({
    input: terminal.input,
    output: isHidden ? silent : terminal.output,
    terminal: true,
    historySize: 0,
  })
  try {
    const closed = new Promise<never>((_resolve, reject) => lines.once('close', () => reject(new Interrupted())))
    const interrupted = new Promise<never>((_resolve, reject) => {
      lines.once('SIGINT', () => reject(new Interrupted()))
      terminal.interrupt.addEventListener('abort', () => reject(new Interrupted()), { once: true })
    })
    const answer = new Promise<string>((resolve) => lines.once('line', resolve))
    lines.setPrompt(isHidden ? '' : prompt)
    if (!isHidden) lines.prompt()
    return (await Promise.race([answer, closed, interrupted])).trim()
  } finally {
    lines.removeAllListeners('close')
    lines.close()
    if (isHidden) terminal.output.write('\n')
  }
}

/** Prompts for a line; empty input returns ''. */
export function askLine(terminal: Terminal, prompt: string): Promise<string> {
  return ask(terminal, prompt, false)
}

/** Prompts for a line without echoing it. */
export function askHidden(terminal: Terminal, prompt: string): Promise<string> {
  return ask(terminal, prompt, true)
}

/** Prompts for one of several choices, by number; empty input selects the first. Prompts again for anything else. */
export async function askChoice<T extends string>(
  terminal: Terminal,
  title: string,
  choices: readonly (readonly [T, string])[],
): Promise<T> {
  const rows = choices.map(([, text], index) => `  ${index + 1}) ${text}`).join('\n')
  terminal.output.write(`${title}\n${rows}\n`)
  for (;;) {
    const answer = await askLine(terminal, `Which (1-${choices.length}, Enter for 1): `)
    const chosen = choices[answer === '' ? 0 : Number(answer) - 1]
    if (chosen !== undefined) return chosen[0]
    terminal.output.write(`"${answer}" is not a number from 1 to ${choices.length}.\n`)
  }
}
