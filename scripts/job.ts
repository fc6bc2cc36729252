/** The process of a run that goes on as a unit of its host (`scripts/job`). Started by systemd with nothing but its job file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Invocation } from './command-line/invocation.ts'
import { markLines } from './history/line-mark.ts'
import { JOB_PATH, parseJob } from './job/job-file.ts'
import { optionsOf, runJob } from './job/job-run.ts'
import { recipe, removableResources } from './recipe.ts'
import { connectors } from './runners/connectors.ts'
import type { HostSpec } from './spec/host-spec.ts'
import { resourcesOfRoles } from './spec/role-selection.ts'

function interruptOnSignals(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort(signal))
  return controller.signal
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const job = parseJob(readFileSync(JOB_PATH.job, 'utf8'))
  const invocation: Invocation = {
    verb: { name: job.verb, summary: '', options: [] },
    ...{ action: undefined, operands: [], verbs: [], options: optionsOf(job) },
    ...{ environment: {}, root, workingFolder: '/', program: 'tappass' },
    ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, hasColor: false },
    nowMs: () => Date.now(),
    interrupt: interruptOnSignals(),
  }
  const text = (path: string) => readFileSync(join(root, path), 'utf8')
  await runJob(invocation, job, {
    connect: () => connectors.local(undefined),
    nonce: connectors.nonce,
    resourcesOf: (spec: HostSpec) => resourcesOfRoles(recipe(spec, text), job.only),
    markedOf: (spec: HostSpec) => resourcesOfRoles(recipe(spec, markLines(text)), job.only),
    removableOf: (spec: HostSpec) => removableResources(spec, text),
  })
}
