/**
 * The process of our side of `bench/host.ts --peers`: the equal resources instead of the recipe, and all else as `tappass bootstrap`
 * does it, preflight and lock included. `node bench/equal-run.ts --host … --identity … --known-hosts … --yes`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArguments } from '../scripts/command-line/argument.ts'
import { createConfirm } from '../scripts/command-line/confirmation.ts'
import { HOST_RUN_OPTIONS, YES_OPTION } from '../scripts/command-line/option.ts'
import { runHost } from '../scripts/converge/host-run.ts'
import { readTargets } from '../scripts/inventory/target.ts'
import { connectors } from '../scripts/runners/connectors.ts'
import { forEachHost } from '../scripts/session/host-session.ts'
import { parseHostSpec } from '../scripts/spec/host-spec.ts'
import { EQUAL_RESOURCES, ourResource } from './equal-resource.ts'

const verbs = [{ name: 'bootstrap', summary: 'the equal resources', options: [...HOST_RUN_OPTIONS, YES_OPTION] }]
const invocation = {
  ...parseArguments(verbs, ['bootstrap', ...process.argv.slice(2)]),
  verbs,
  environment: process.env,
  root: join(import.meta.dirname, '..'),
  workingFolder: process.cwd(),
  program: 'bench/equal-run.ts',
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  hasColor: false,
  nowMs: () => Date.now(),
  interrupt: new AbortController().signal,
}
const spec = parseHostSpec({}, 'the benchmark')
const waiting = readFileSync(join(invocation.root, 'scripts/first-boot.sh'), 'utf8')
const resources = EQUAL_RESOURCES.map((resource) => ourResource(resource, waiting))
const confirm = createConfirm(invocation)
process.exitCode = await forEachHost(invocation, connectors, await readTargets(invocation), {
  work: (host) => runHost(invocation, host, resources, spec, { confirm, waiting }),
})
if (process.env['BENCH_PROCESSOR'] !== undefined) {
  const { user, system } = process.cpuUsage()
  process.stderr.write(`processor ${Math.round((user + system) / 1000)} ms\n`)
}
