/**
 * `tappass secrets list|rotate|make`: what secrets each host has; a new value for some, planned, confirmed and applied like any other change; and
 * those of containers, in their environment file.
 */
import { join, resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { completeEnvironmentFile } from '../control/environment-file.ts'
import { runHost } from '../converge/host-run.ts'
import { assertInstalled, rotationNotice } from '../converge/rotation-notice.ts'
import { usageFailure } from '../core/failure.ts'
import { probeForRollout } from '../diagnosis/rollout-probe.ts'
import { markLines } from '../history/line-mark.ts'
import { readTargets } from '../inventory/target.ts'
import { createHandOver } from '../job/job-start.ts'
import { isWell, judgeSecrets, renderSecrets, type SecretState } from '../output/secret-table.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { SYSTEM_RANDOMNESS } from '../runners/randomness.ts'
import { readOnly } from '../runners/read-only.ts'
import { storedSecretsFact } from '../secrets/stored-secret.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { readRollout } from '../session/rollout.ts'
import { openSpecSession } from '../session/spec-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { readAge } from '../spec/rotation-request.ts'
import { checkStorage } from '../storage/storage-check.ts'

const EXAMPLE = join(import.meta.dirname, '../../.env.example')

function ageSecondsMax(invocation: Invocation): number {
  const age = textOption(invocation, 'older-than')
  return age === undefined ? Number.POSITIVE_INFINITY : readAge(age, 'tappass secrets list')
}

/** Those that are generated together; one that is provided comes from a file that only the operator has. */
function nextCommand(invocation: Invocation, unwell: readonly SecretState[]): string {
  const generated = unwell.filter(({ kind }) => kind !== 'provided').map(({ id }) => id)
  return generated.length > 0
    ? hostCommandHint(invocation, `secrets rotate ${generated.join(',')}`)
    : `${hostCommandHint(invocation, 'bootstrap')} --secret ${unwell[0]?.id}=FILE`
}

async function list(invocation: Invocation): Promise<number> {
  const targets = await readTargets(invocation)
  const ageMax = ageSecondsMax(invocation)
  const work = async ({ run: asRoot, freshFacts, target, emit }: HostSession): Promise<HostResult> => {
    const stored = await freshFacts(readOnly(asRoot))(storedSecretsFact)
    const states = judgeSecrets(stored, ageMax)
    emit({ event: 'secrets', secrets: states })
    if (states.length === 0)
      return { outcome: 'not-installed', applied: 0, remaining: 0, next: hostCommandHint(invocation, 'bootstrap') }
    if (!isGiven(invocation, 'json')) {
      const title = targets.length > 1 ? `${target.name}\n` : ''
      invocation.stdout.write(`${title}${renderSecrets(stored, states)}`)
    }
    const unwell = states.filter((state) => !isWell(state))
    if (unwell.length === 0) return { outcome: 'up-to-date', applied: 0, remaining: 0 }
    const unhealthy = unwell.map(({ id }) => id)
    return { outcome: 'unhealthy', applied: 0, remaining: 0, unhealthy, next: nextCommand(invocation, unwell) }
  }
  return await forEachHost(invocation, connectors, targets, { work })
}

async function rotate(invocation: Invocation): Promise<number> {
  const { targets, text, beforehand, readSpec } = await openSpecSession(invocation, () => void readRollout(invocation))
  const waiting = text('scripts/first-boot.sh')
  const handOver = createHandOver(invocation)
  const specs = new Map<string, HostSpec>()
  const work = async (host: HostSession) => {
    const spec = await readSpec(host)
    specs.set(host.target.name, spec)
    await assertInstalled(invocation, host.freshFacts(), spec)
    const resources = recipe(spec, text).flatMap((role) => role.resources)
    const history = { spec, marked: () => recipe(spec, markLines(text)).flatMap((role) => role.resources) }
    const result = await runHost(invocation, host, resources, spec, {
      ...{ confirm: host.confirm, waiting, history, handOver },
      lookAtStorage: () => checkStorage(host.connection.dial, spec, text('versions.yaml')),
    })
    if (result.outcome !== 'up-to-date' || spec.rotation === undefined) return result
    const notice = await rotationNotice(invocation, host.freshFacts(), spec.rotation, result.applied > 0)
    if (notice !== undefined) host.emit({ event: 'warning', warning: notice })
    return result
  }
  const probe = ({ target, run: asRoot, freshFacts }: HostSession) =>
    probeForRollout(specs.get(target.name), target, freshFacts(readOnly(asRoot)))
  return await forEachHost(invocation, connectors, targets, { beforehand, work, probe, isConfirmedTogether: true })
}

/** Names what was made, and never a value: those stand in the file. */
function make(invocation: Invocation): number {
  const file = textOption(invocation, 'env')
  if (file === undefined) throw usageFailure('"secrets make" needs "--env"', 'tappass secrets make --env .env.prod')
  const path = resolve(invocation.workingFolder, file)
  const { generated, taken, kept, isClosed } = completeEnvironmentFile(path, EXAMPLE, SYSTEM_RANDOMNESS)
  if (isGiven(invocation, 'json')) {
    invocation.stdout.write(`${JSON.stringify({ file: path, generated, taken, kept })}\n`)
    return EXIT_CODE.upToDate
  }
  const lines = [
    ...(generated.length > 0 ? [`generated: ${generated.join(', ')}`] : []),
    ...(taken.length > 0 ? [`taken from the file that it names: ${taken.join(', ')}`] : []),
    ...(isClosed ? ['others could read it; from now on only its owner can'] : []),
  ]
  const shown = lines.length > 0 ? lines : ['nothing to do: each has a value']
  invocation.stdout.write(`${shown.map((line) => `${path}: ${line}\n`).join('')}`)
  return EXIT_CODE.upToDate
}

/** Returns 0 up to date, 1 failed (`list`: one is overdue or has expired), 2 not confirmed, 3 rolled back, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  if (invocation.action === 'make') return make(invocation)
  return await (invocation.action === 'list' ? list(invocation) : rotate(invocation))
}
