/** `plan --out FILE` and `bootstrap --plan FILE`: one file with the plans of all hosts of a run. */
import { resolve } from 'node:path'
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { refusedFailure, usageFailure } from '../core/failure.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import type { Plan } from './plan.ts'
import { createPlanContract, type PlanContract } from './plan-contract.ts'
import { type PlanFile, readPlanFile, writePlanFile } from './plan-file.ts'
import { type HostPlan, hostPlanOf } from './plan-record.ts'

/** Where plans go. `write` writes the file when there is a plan of each of the hosts, and says so when there is not. */
export type PlanOutput = Readonly<{
  add: (host: string, plan: Plan, spec: HostSpec) => void
  write: (hosts: readonly string[]) => Promise<void>
}>

/** Returns where `--out` wants plans to go; undefined without it. Throws a usage failure with options that no bootstrap takes. */
export function openPlanOutput(invocation: Invocation, salt: string): PlanOutput | undefined {
  const typed = textOption(invocation, 'out')
  if (typed === undefined) return undefined
  const { rotate: _, 'older-than': __, finish: ___, ...options } = invocation.options
  if (isGiven(invocation, 'rotate'))
    throw usageFailure(
      '"--out" holds what bootstrap does, and a rotation is no part of that',
      commandHint({ options }, 'plan'),
    )
  const path = resolve(invocation.workingFolder, typed)
  const hosts: Record<string, HostPlan> = {}
  let release = ''
  return {
    add: (host, plan, spec) => {
      hosts[host] = hostPlanOf(plan, spec, salt)
      release = spec.release.version
    },
    write: async (names) => {
      const missing = names.filter((name) => hosts[name] === undefined)
      if (missing.length > 0) {
        invocation.stderr.write(`${typed} is not written: there is no plan of ${missing.join(', ')}\n`)
        return
      }
      await writePlanFile(path, { createdAt: new Date(invocation.nowMs()).toISOString(), release, salt, hosts })
      invocation.stderr.write(
        `${typed} has the plan; to carry it out: tappass bootstrap --plan ${typed}, with the same options\n`,
      )
    },
  }
}

function contractOf(file: PlanFile, typed: string, next: string, host: string, spec: HostSpec): PlanContract {
  if (file.release !== spec.release.version)
    throw refusedFailure(
      'the release is not the planned one',
      `release: planned ${file.release}, now ${spec.release.version}`,
      `use the clone that made the plan, or ${next}`,
    )
  const planned = file.hosts[host]
  if (planned === undefined)
    throw refusedFailure(`${typed} has no plan of ${host}`, `it is of ${Object.keys(file.hosts).join(', ')}`, next)
  return createPlanContract({ planned, salt: file.salt, digest: file.digest, next }, spec)
}

/** Reads the file of `--plan`. Returns what gives the contract of a host, which throws a `Failure` (exit 5) where there is none; undefined without the option. */
export async function readPlanOption(
  invocation: Invocation,
): Promise<((host: string, spec: HostSpec) => PlanContract) | undefined> {
  const typed = textOption(invocation, 'plan')
  if (typed === undefined) return undefined
  const { plan: _, yes: __, batch: ___, ...options } = invocation.options
  const next = commandHint({ options }, 'plan', '--out', typed)
  const file = await readPlanFile(resolve(invocation.workingFolder, typed), next)
  return (host, spec) => contractOf(file, typed, next, host, spec)
}
