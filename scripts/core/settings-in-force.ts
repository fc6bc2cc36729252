/** The settings that a host already runs with: what a run without `--config` starts from, so that it undoes nothing unasked. */
import { contentFact, pathFact } from './facts/path.ts'
import { Failure } from './failure.ts'
import type { AtHand } from './host-session.ts'

/** Where the role `record` writes them down. */
export const settingsPath = '/etc/tappass/tappass.yaml'

/**
 * Their YAML text, and tells that they are taken; undefined with `--config`, and on a host that has none yet. Throws a `Failure` when
 * they are there and can't be read: defaults in their stead would change the host.
 */
export const settingsInForce = async ({
  target,
  connection,
  look,
  tell,
}: Pick<AtHand, 'target' | 'connection' | 'look' | 'tell'>): Promise<string | undefined> => {
  if (target.config !== undefined) return undefined
  // Everybody may read them; that root can be had is checked later, together with everything else.
  const know = look(connection.runAsUser)
  const [state, text] = await Promise.all([know(pathFact(settingsPath)), know(contentFact(settingsPath))])
  if (state.kind === 'absent') return undefined
  if (text === undefined) {
    const why = 'it is there, but no readable UTF-8 file'
    throw new Failure({ what: `${settingsPath} can't be read`, where: target.name, why, next: 'give --config FILE' })
  }
  tell({ event: 'settings', source: settingsPath })
  return text
}
