/** A run that goes on as a unit of its host: the same as from elsewhere, by the toolkit and Node of the host, and told in a file. */
import { appendFileSync } from 'node:fs'
import { parseInputs, sentFile, withInputs } from '../artifacts/sent-file.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { RUN_UNIT } from '../converge/host-lock.ts'
import { continueRemoval, removeLastCommand } from '../converge/host-removal.ts'
import { lockHolderOf } from '../converge/host-run.ts'
import type { LockHolder } from '../converge/lock-lease.ts'
import { continueRun } from '../converge/locked-run.ts'
import { createPlanContract } from '../converge/plan-contract.ts'
import type { Watch } from '../converge/resource-step.ts'
import { Failure } from '../core/failure.ts'
import { awaitConfirmationCommand, awaitedCommand, GUARD_SECONDS } from '../core/guard.ts'
import type { Connection } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { createFactReader } from '../facts/fact-reader.ts'
import type { Event } from '../output/event.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { createMeasurements, readHostSpec } from '../spec/spec-reader.ts'
import { watchedCommand } from './job-command.ts'
import { type JobEnd, jobLine } from './job-event.ts'
import { JOB_PATH, type Job } from './job-file.ts'

/** What the process gives: how to run commands here, and the recipe, plain, with the places of lines, and of what an uninstall looks for. */
export type JobContext = Readonly<{
  connect: () => Promise<Connection>
  nonce: () => string
  resourcesOf: (spec: HostSpec) => readonly Resource[]
  markedOf: (spec: HostSpec) => readonly Resource[]
  removableOf: (spec: HostSpec) => readonly Resource[]
}>

/** The options of a command line that has the secrets where they were sent to. */
export function optionsOf({ only, secrets }: Pick<Job, 'only' | 'secrets'>): Invocation['options'] {
  return { only, secret: Object.entries(secrets).map(([id, path]) => `${id}=${path}`) }
}

function bundleOf({ bundle, files }: Job): HostSpec['bundle'] {
  if (bundle === null) return undefined
  const packages = Object.entries(bundle.packages).map(([id, sha256]) => [id, sentFile(sha256, files)] as const)
  const stands = () => undefined
  return { platform: bundle.platform, packages: Object.fromEntries(packages), fileOf: stands, imageOf: stands }
}

async function specOf(invocation: Invocation, job: Job): Promise<HostSpec> {
  const measurements = createMeasurements(invocation, job.pagesFolder ?? invocation.root)
  const read = await readHostSpec(invocation, { config: undefined }, job.settings, measurements)
  const inputs = parseInputs(job.inputs)
  if (inputs === undefined) throw new Error('the inputs of the run are not readable')
  const spec = withInputs(read, inputs, job.files)
  const pages = spec.site === 'none' ? null : spec.site.pages.version
  if (spec.release.version !== job.release || pages !== job.pages)
    throw new Failure({
      what: 'the toolkit on the host is not the one of this run',
      why: `release ${spec.release.version}, pages ${pages}; the run has ${job.release}, ${job.pages}`,
      next: job.retryCommand,
    })
  return {
    ...{ ...spec, bundle: bundleOf(job) },
    ...(job.rotation === null ? {} : { rotation: job.rotation }),
    ...(job.releaseChange === null ? {} : { releaseChange: job.releaseChange }),
    ...(job.data === null ? {} : { data: job.data }),
  }
}

/** The lock is that of the run which this one is a part of. */
function holderOf(invocation: Invocation, job: Job, host: HostSession): LockHolder {
  const own = lockHolderOf(invocation, host)
  const owner = { ...own.owner, owner: job.user, controller: job.controller, unit: RUN_UNIT }
  return { ...own, owner, predecessor: job.token, retryCommand: job.retryCommand }
}

async function goOn(invocation: Invocation, job: Job, host: HostSession, context: JobContext): Promise<HostResult> {
  const spec = await specOf(invocation, job)
  const holder = holderOf(invocation, job, host)
  if (job.removal !== null) {
    const { left, ...removal } = job.removal
    return await continueRemoval(invocation, host, context.removableOf(spec), { holder, removal, left })
  }
  const awaitConfirmation: Watch['awaitConfirmation'] = async (step, seconds = GUARD_SECONDS, outside) => {
    const change = host.nonce()
    await host.run(awaitedCommand(change))
    host.emit({ event: 'confirmation-awaited', step, seconds, change, ...(outside && { outside }) })
    return await host.run(awaitConfirmationCommand(seconds))
  }
  return await continueRun(host, context.resourcesOf(spec), {
    holder,
    history: {
      ...{ spec, marked: () => context.markedOf(spec), operator: job.operator ?? undefined },
      ...(job.restored === null ? {} : { restored: job.restored }),
    },
    applied: job.applied,
    outside: job.outside ?? undefined,
    contract: job.contract === null ? undefined : createPlanContract(job.contract.plan, spec, job.contract.progress),
    watch: { isWatched: async () => (await host.run(watchedCommand())).code === 0, awaitConfirmation },
    nowMs: invocation.nowMs,
    shouldStop: () => invocation.interrupt.aborted,
  })
}

async function endOf(work: () => Promise<HostResult>): Promise<Readonly<{ end: JobEnd; defect?: Error }>> {
  try {
    return { end: { result: await work() } }
  } catch (error) {
    if (error instanceof Failure) return { end: { failure: error.text, code: error.code } }
    const defect = error as Error
    const failure = {
      what: 'a defect of the toolkit ended the run',
      why: defect.message,
      next: `journalctl --unit=${RUN_UNIT}   (on the host)`,
    }
    return { end: { failure, code: 1 }, defect }
  }
}

/** Runs the job to its end, which is written behind the events. Throws for a defect, after that. */
export async function runJob(invocation: Invocation, job: Job, context: JobContext): Promise<void> {
  const emit = (event: Event) =>
    appendFileSync(JOB_PATH.events, jobLine({ event, at: new Date(invocation.nowMs()).toISOString() }))
  const connection = await context.connect()
  const host: HostSession = {
    target: { name: job.target, address: undefined, config: undefined },
    ...{ connection, run: connection.run, reconnect: context.connect, nonce: context.nonce, emit },
    // Asked where it was typed.
    confirm: async () => true,
    freshFacts: (run = connection.run) => createFactReader(run, context.nonce),
  }
  const { end, defect } = await endOf(() => goOn(invocation, job, host, context))
  appendFileSync(JOB_PATH.events, jobLine({ end }))
  // Its own events go with it: whoever watches has the file open.
  if (job.removal !== null && 'result' in end && end.result.outcome === 'up-to-date')
    await connection.run(removeLastCommand(job.removal))
  if (defect !== undefined) throw defect
}
