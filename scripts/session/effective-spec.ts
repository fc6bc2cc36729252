/** The settings that a host already runs with: what a run without `--config` starts from, so that it undoes nothing unasked. */

import type { Invocation } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import { contentFact, pathFact } from '../facts/path.ts'
import { type HostSpec, SETTINGS_PATH } from '../spec/host-spec.ts'
import { readHostSpec } from '../spec/spec-reader.ts'
import { upstreamWarning } from '../spec/upstream-warning.ts'
import type { AtHand } from './host-session.ts'

/**
 * Their YAML text, and tells that they are taken; undefined with `--config`, and on a host that has none yet. Throws a `Failure` when
 * they are there and can't be read: defaults in their stead would change the host.
 */
export async function settingsInForce({
  target,
  connection,
  look,
  tell,
}: Pick<AtHand, 'target' | 'connection' | 'look' | 'tell'>): Promise<string | undefined> {
  if (target.config !== undefined) return undefined
  // Everybody may read them; that root can be had is checked later, together with everything else.
  const know = look(connection.runAsUser)
  const [state, text] = await Promise.all([know(pathFact(SETTINGS_PATH)), know(contentFact(SETTINGS_PATH))])
  if (state.kind === 'absent') return undefined
  if (text === undefined) {
    const why = 'it is there, but no readable UTF-8 file'
    throw new Failure({ what: `${SETTINGS_PATH} can't be read`, where: target.name, why, next: 'give --config FILE' })
  }
  tell({ event: 'settings', source: SETTINGS_PATH })
  return text
}

/** Throws a usage failure for a fault in the specification, and a `Failure` when the settings in force can't be read. */
export async function wantedSpec(invocation: Invocation, host: AtHand): Promise<HostSpec> {
  const spec = await readHostSpec(invocation, host.target, await settingsInForce(host))
  const warning = upstreamWarning(spec)
  if (warning !== undefined) host.tell({ event: 'warning', warning })
  return spec
}
