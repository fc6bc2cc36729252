/** What the commands that need a host's specification have in common: everything on the controller is read and judged before the first connection. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Invocation } from '../command-line/invocation.ts'
import { readTargets, type Target } from '../inventory/target.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { createMeasurements, readHostSpec, validateCommandLine } from '../spec/spec-reader.ts'
import { readEffectiveSpec, readOwnSpec } from './effective-spec.ts'
import type { HostSession } from './host-session.ts'

/** `text` reads a file of the release; `beforehand` is for `forEachHost`; `readSpec` returns the specification of a host that is connected to, `specFrom` that of settings which a host has kept. */
export type SpecSession = Readonly<{
  targets: readonly Target[]
  text: (path: string) => string
  beforehand: (target: Target) => Promise<void>
  readSpec: (host: HostSession) => Promise<HostSpec>
  specFrom: (settings: string) => Promise<HostSpec>
}>

/** Reads the hosts and the command line. `validate` judges the options of the command's own, if it has any. Throws a usage failure for what is wrong. */
export async function openSpecSession(
  invocation: Invocation,
  validate: () => void = () => undefined,
): Promise<SpecSession> {
  const targets = await readTargets(invocation)
  // One for all hosts: files are measured once.
  const measurements = createMeasurements(invocation)
  validate()
  await validateCommandLine(invocation, measurements)
  return {
    targets,
    text: (path) => readFileSync(join(invocation.root, path), 'utf8'),
    beforehand: (target) => readOwnSpec(invocation, target, measurements),
    readSpec: (host) => readEffectiveSpec(invocation, host, measurements),
    specFrom: (settings) => readHostSpec(invocation, { config: undefined }, settings, measurements),
  }
}
