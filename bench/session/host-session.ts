/**
 * A session with a bare machine of the lab: its plan, the run that makes it a server, the plan after an edit by hand, the run
 * that undoes it, and one that changes nothing.
 * The machine's address and the options that lead there are shown as `--host root@server`, the edit (made by `lab run`) as a
 * command over SSH. Of `bootstrap` the last line is shown.
 */
import { join } from 'node:path'
import { $, type ProcessOutput } from 'zx'
import type { ShownCommand } from './shown-command.ts'

const root = join(import.meta.dirname, '../..')
const machine = 'session'

/** Changes of the plan that are shown; those between them are counted. */
const SHOWN = [/ add account tappass,/, / write \S+\/tappass\.socket,/]

const EDIT = "sed -i 's/^TAPPASS_RATE_CALLS=.*/TAPPASS_RATE_CALLS=999999/' /etc/tappass/gateway.env"

async function run(program: string, words: readonly string[], code: number): Promise<ProcessOutput> {
  const done = await $({ cwd: root, quiet: true, nothrow: true })`./${program} ${words}`
  if (done.exitCode !== code) throw new Error(`${program} ${words[0]} ended with ${done.exitCode}:\n${done}`)
  return done
}

/** The summary, some changes with their reasons, and how many are left out. */
export function excerpt(plan: string): string {
  const lines = plan.trimEnd().split('\n')
  const changes = lines.filter((line) => line.startsWith('  ~ '))
  const summary = lines.slice(0, lines.indexOf(changes[0] ?? ''))
  const shown = SHOWN.flatMap((pattern) => changes.find((line) => pattern.test(line)) ?? [])
  return [...summary, ...shown, `  … ${changes.length - shown.length} more`].join('\n')
}

/** Runs it all, in about a minute, and takes the machine down. Needs root. */
export async function runHostSession(): Promise<readonly ShownCommand[]> {
  await run('test/lab/lab', ['down', machine], 0)
  const at = JSON.parse((await run('test/lab/lab', ['up', machine], 0)).stdout) as Readonly<
    Record<'address' | 'key' | 'knownHosts', string>
  >
  const options = [
    ...['--host', `root@${at.address}`, '--identity', at.key, '--known-hosts', at.knownHosts],
    ...['--config', 'test/lab/host.yaml'],
  ]
  const lastLine = (text: string) => text.trimEnd().split('\n').at(-1) ?? ''
  try {
    const plan = await run('tappass', ['plan', ...options], 2)
    const first = await run('tappass', ['bootstrap', ...options, '--yes'], 0)
    await run('test/lab/lab', ['run', machine, EDIT], 0)
    const drift = await run('tappass', ['plan', ...options, '--diff'], 2)
    const second = await run('tappass', ['bootstrap', ...options, '--yes'], 0)
    const third = await run('tappass', ['bootstrap', ...options, '--yes'], 0)
    const shown = '--host root@server'
    return [
      { typed: `./tappass plan ${shown}`, output: excerpt(plan.stdout) },
      { typed: `./tappass bootstrap ${shown} --yes`, output: lastLine(first.stderr) },
      { typed: `ssh root@server "${EDIT}"`, output: '' },
      { typed: `./tappass plan ${shown} --diff`, output: drift.stdout.trimEnd() },
      { typed: `./tappass bootstrap ${shown} --yes`, output: lastLine(second.stderr) },
      { typed: `./tappass bootstrap ${shown} --yes`, output: lastLine(third.stderr) },
    ]
  } finally {
    await run('test/lab/lab', ['down', machine], 0)
  }
}
