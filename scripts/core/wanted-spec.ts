/** What a host is to become, as `plan` and `bootstrap` both read it: with the settings in force there, and told what to be warned of. */
import type { AtHand } from './host-session.ts'
import type { HostSpec } from './host-spec.ts'
import type { Invocation } from './invocation.ts'
import { settingsInForce } from './settings-in-force.ts'
import { readHostSpec } from './spec-reading.ts'
import { upstreamWarning } from './upstream-secrecy.ts'

/** Throws a usage failure for a fault in the specification, and a `Failure` when the settings in force can't be read. */
export const wantedSpec = async (invocation: Invocation, host: AtHand): Promise<HostSpec> => {
  const spec = await readHostSpec(invocation, host.target, await settingsInForce(host))
  const warning = upstreamWarning(spec)
  if (warning !== undefined) host.tell({ event: 'warning', warning })
  return spec
}
