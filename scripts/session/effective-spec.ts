/** The current settings of a host: a run without `--config` starts from them, so that it reverts nothing unasked. */

import { HOST_PATH } from '../../contract/path.ts'
import { type Invocation, textOption } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import { hostClockFact } from '../facts/host-clock.ts'
import { contentFact, pathFact } from '../facts/path.ts'
import { DATA_CHOICES, type HostSpec } from '../spec/host-spec.ts'
import { readRotationRequest, rotationOf } from '../spec/rotation-request.ts'
import { type Measurements, readHostSpec, type SpecSource } from '../spec/spec-reader.ts'
import type { HostSession } from './host-session.ts'
import { upstreamWarning } from './upstream-warning.ts'

/**
 * Returns their YAML text and emits `settings`; undefined with `--config`, and on a host that has none. Throws a `Failure` when they exist
 * but cannot be read: defaults in their place would change the host.
 */
export async function readCurrentSettings({
  target,
  connection,
  freshFacts,
  emit,
}: Pick<HostSession, 'target' | 'connection' | 'freshFacts' | 'emit'>): Promise<string | undefined> {
  if (target.config !== undefined) return undefined
  // Everybody may read them; root privileges are checked later, together with everything else.
  const getFact = freshFacts(connection.runAsUser)
  const [state, text] = await Promise.all([
    getFact(pathFact(HOST_PATH.settings)),
    getFact(contentFact(HOST_PATH.settings)),
  ])
  if (state.kind === 'absent') return undefined
  if (text === undefined) {
    const why = 'it exists, but it is not a readable UTF-8 file'
    throw new Failure({ what: `cannot read ${HOST_PATH.settings}`, where: target.name, why, next: 'add --config FILE' })
  }
  emit({ event: 'settings', source: HOST_PATH.settings })
  return text
}

/** Returns the specification with the current settings and options. Throws a usage failure for an invalid one, and a `Failure` when the current settings cannot be read. */
export async function readEffectiveSpec(
  invocation: Invocation,
  host: HostSession,
  measurements: Measurements,
): Promise<HostSpec> {
  const request = readRotationRequest(invocation)
  const getFact = host.freshFacts(host.connection.runAsUser)
  const [currentSettings, clock] = await Promise.all([
    readCurrentSettings(host),
    request === undefined ? 0 : getFact(hostClockFact),
  ])
  const read = await readHostSpec(invocation, host.target, currentSettings, measurements)
  const data = DATA_CHOICES.find((choice) => choice === textOption(invocation, 'data'))
  const spec = {
    ...read,
    ...(request !== undefined && { rotation: rotationOf(request, clock) }),
    ...(data !== undefined && { data }),
  }
  const warning = upstreamWarning(spec)
  if (warning !== undefined) host.emit({ event: 'warning', warning })
  return spec
}

/** Reads what the controller has of the specification of a host, before the host is connected to. Throws what `readHostSpec` throws. */
export async function readOwnSpec(
  invocation: Invocation,
  target: SpecSource,
  measurements: Measurements,
): Promise<void> {
  // Without a file its settings lie over those that the host has now; its secrets are here all the same.
  if (target.config === undefined) await measurements.secrets(target.own?.secrets)
  else await readHostSpec(invocation, target, undefined, measurements)
}
