/** What SPIRE's server on a host has issued so far; never changed by a run, only whether the desired server may go on with it. */
import { HOST_PATH } from '../../contract/path.ts'
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { contentFact, pathFact, targetFact } from '../facts/path.ts'

/** The trust domain, and the version of the server that is to open its data. */
export type SpireAuthorityOptions = Readonly<{ trustDomain: string; version: string }>

/** SPIRE's own rule: server and agents at most one minor version apart, and a server opens what the version before it has written. */
function assertNextMinor(installed: string, version: string): void {
  const [from = [], to = []] = [installed, version].map((each) => each.split('.').map(Number))
  if (from[0] === to[0] && Math.abs((from[1] ?? 0) - (to[1] ?? 0)) <= 1) return
  throw refusedFailure(
    `SPIRE ${installed} can't become ${version} at once`,
    'SPIRE goes one minor version at a time, the server before the agents',
    'use the releases of TapPass in between, one after the other; CHANGELOG.md says which SPIRE each has',
  )
}

/**
 * The authority, where there is one. Another trust domain, and a version that is further away than the next minor one, are a `Failure` (exit 5):
 * the server would not start, or would issue what nobody trusts.
 */
export function spireAuthority({ trustDomain, version }: SpireAuthorityOptions): Resource {
  return {
    id: `spire-authority:${HOST_PATH.spireServerFolder}`,
    absent: leavesNothing('it goes with its folder'),
    plan: async (getFact) => {
      const [data, config, program] = await Promise.all([
        getFact(pathFact(`${HOST_PATH.spireServerFolder}/keys.json`)),
        getFact(contentFact(HOST_PATH.spireServerConfig)),
        getFact(targetFact(HOST_PATH.currentSpire)),
      ])
      if (data.kind === 'absent') return []
      const found = /^\s*trust_domain = "(.*)"$/m.exec(config ?? '')?.[1]
      if (found !== undefined && found !== trustDomain) {
        throw refusedFailure(
          `this host issues identities of ${found}, not of ${trustDomain}`,
          'keys, entries and SVIDs of a trust domain are worth nothing in another one',
          `set identity.trustDomain: ${found}; to begin anew, stop tappass-spire-server and tappass-spire-agent, and move ${HOST_PATH.spireServerFolder} and ${HOST_PATH.spireAgentFolder} away   (on the host)`,
        )
      }
      const installed = program?.slice(HOST_PATH.spireFolder.length + 1)
      if (installed !== undefined) assertNextMinor(installed, version)
      return []
    },
  }
}
