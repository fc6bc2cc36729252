/** Carries out one change: its commands in order, as few round trips as their standard inputs allow. */
import { changeScript, isBatchable, readBatch, restOf } from '../connection/batch.ts'
import type { Command, Output, Runner } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'

/** How it ended: the command that failed is named, with what it said. */
export type Applied = Readonly<{ status: 'done' }> | Readonly<{ status: 'failed'; command: Command; output: Output }>

/** What is heard meanwhile. */
export type Hearing = Readonly<{ command: (text: string) => void; line: (line: string) => void }>

const SHOWN_LENGTH = 200

/** A command for people: quoted, on one line, cut where it is long. Standard input is never shown. */
export function describe({ argv }: Command): string {
  const text = quoteAll(argv).replaceAll(/\s+/g, ' ')
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`
}

/** Neighbours that can travel in one script; a command with bytes on its standard input travels alone. */
function groupsOf(commands: readonly Command[]): readonly (readonly [Command, ...Command[]])[] {
  const groups: [Command, ...Command[]][] = []
  for (const command of commands) {
    const last = groups.at(-1)
    if (last !== undefined && isBatchable(command) && isBatchable(last[0])) last.push(command)
    else groups.push([command])
  }
  return groups
}

async function runTogether(run: Runner, commands: readonly Command[], nonce: string, hear: Hearing): Promise<Applied> {
  let running = 0
  const output = await run({ argv: ['sh'], effect: 'change', stdin: changeScript(commands, nonce) }, (line) => {
    if (!line.startsWith(`${nonce} `)) return line === '' ? undefined : hear.line(line)
    const next = Number(line.split(' ')[1]) + 1
    const command = commands[next]
    if (command === undefined || next <= running) return
    running = next
    hear.command(describe(command))
  })
  const outputs = readBatch(output, nonce, commands.length)
  const failed = outputs.findIndex(({ code }) => code !== 0)
  if (failed >= 0) return { status: 'failed', command: commands[failed] as Command, output: outputs[failed] as Output }
  const unfinished = commands[outputs.length]
  if (unfinished === undefined) return { status: 'done' }
  const [stdout, stderr] = [restOf(output.stdout, nonce), restOf(output.stderr, nonce)]
  return { status: 'failed', command: unfinished, output: { code: output.code || 1, stdout, stderr } }
}

async function runAlone(run: Runner, command: Command, hear: Hearing): Promise<Applied> {
  const output = await run(command, hear.line)
  return output.code === 0 ? { status: 'done' } : { status: 'failed', command, output }
}

/** Stops at the first command that fails. Throws what the runner throws. `nonce` gives 32 hex digits that nobody can guess. */
export async function applyChange(
  run: Runner,
  commands: readonly Command[],
  nonce: () => string,
  hear: Hearing,
): Promise<Applied> {
  for (const group of groupsOf(commands)) {
    hear.command(describe(group[0]))
    const applied = isBatchable(group[0])
      ? await runTogether(run, group, nonce(), hear)
      : await runAlone(run, group[0], hear)
    if (applied.status === 'failed') return applied
  }
  return { status: 'done' }
}
