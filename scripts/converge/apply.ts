/** Applies a change: runs its commands in order, in as few round trips as their standard inputs allow. */
import { changeScript, changeScriptDeadlineMs, incompleteOutput, isBatchable, parseBatch } from '../connection/batch.ts'
import { describeCommand } from '../core/command.ts'
import type { Command, Output, Runner } from '../core/host.ts'

/** The result: for a failure, the command that failed and its output. */
export type ApplyResult =
  | Readonly<{ status: 'done' }>
  | Readonly<{ status: 'failed'; command: Command; output: Output }>

/** Receives commands as they start, and their output line by line. */
export type ApplyListener = Readonly<{ onCommand: (text: string) => void; onLine: (line: string) => void }>

/** Groups consecutive commands that can run in one script; a command with bytes on its standard input runs alone. */
function batchesOf(commands: readonly Command[]): readonly (readonly [Command, ...Command[]])[] {
  const groups: [Command, ...Command[]][] = []
  for (const command of commands) {
    const last = groups.at(-1)
    if (last !== undefined && isBatchable(command) && isBatchable(last[0])) last.push(command)
    else groups.push([command])
  }
  return groups
}

async function runBatch(
  run: Runner,
  commands: readonly Command[],
  nonce: string,
  listener: ApplyListener,
): Promise<ApplyResult> {
  let running = 0
  const script = { stdin: changeScript(commands, nonce), deadlineMs: changeScriptDeadlineMs(commands) }
  const output = await run({ argv: ['sh'], effect: 'change', ...script }, (line) => {
    if (!line.startsWith(`${nonce} `)) return line === '' ? undefined : listener.onLine(line)
    const next = Number(line.split(' ')[1]) + 1
    const command = commands[next]
    if (command === undefined || next <= running) return
    running = next
    listener.onCommand(describeCommand(command))
  })
  const outputs = parseBatch(output, nonce, commands.length)
  const failed = outputs.findIndex(({ code }) => code !== 0)
  if (failed >= 0) return { status: 'failed', command: commands[failed] as Command, output: outputs[failed] as Output }
  const unfinished = commands[outputs.length]
  if (unfinished === undefined) return { status: 'done' }
  const [stdout, stderr] = [incompleteOutput(output.stdout, nonce), incompleteOutput(output.stderr, nonce)]
  return { status: 'failed', command: unfinished, output: { code: output.code || 1, stdout, stderr } }
}

async function runSingle(run: Runner, command: Command, listener: ApplyListener): Promise<ApplyResult> {
  const output = await run(command, listener.onLine)
  return output.code === 0 ? { status: 'done' } : { status: 'failed', command, output }
}

/** Runs the commands and stops at the first that fails. Throws what the runner throws. `nonce` returns 32 random hex digits. */
export async function applyChange(
  run: Runner,
  commands: readonly Command[],
  nonce: () => string,
  listener: ApplyListener,
): Promise<ApplyResult> {
  for (const group of batchesOf(commands)) {
    listener.onCommand(describeCommand(group[0]))
    const result = isBatchable(group[0])
      ? await runBatch(run, group, nonce(), listener)
      : await runSingle(run, group[0], listener)
    if (result.status === 'failed') return result
  }
  return { status: 'done' }
}
