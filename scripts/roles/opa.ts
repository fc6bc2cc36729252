/** OPA: the program, the signed bundle of this release's policy, and a server for it beside those of other policies. */

import { HOST_PATH } from '../../contract/path.ts'
import { ACCOUNT, UNIT } from '../../contract/unit.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { account } from '../resources/account.ts'
import { directory } from '../resources/directory.ts'
import { policyBundle } from '../resources/policy-bundle.ts'
import { program, programMarker } from '../resources/program.ts'
import { unit } from '../resources/unit.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { opaServerOf } from '../spec/policy-spec.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const
/** Of the limit; the rest is for what Go does not count. */
const GO_MEMORY_SHARE = 0.85

/** The role `opa`: nothing where the gateways decide by themselves. Servers of earlier policies go when no gateway asks them (role `settings`). */
export const opa: Role = (spec, text) => {
  const server = opaServerOf(spec, text)
  if (server === undefined) return []
  const { version } = server
  const installed = {
    ...{ folder: HOST_PATH.opaFolder, name: 'opa', version, says: `Version: ${version}`, link: HOST_PATH.currentOpa },
    source: spec.opa.program,
    remedy: 'opa.program: the program as its vendor publishes it (opa_linux_amd64_static), or policy.engine: embedded',
  }
  const template = text(`units/${UNIT.opa}.hbs`)
  const content = (traits: HostTraits) => {
    const memory = memoryLimits(spec, traits.memoryMegabytes)
    const goMemoryMegabytes = Math.floor(memory.opa * GO_MEMORY_SHARE)
    return render(template, { version, memory, goMemoryMegabytes, hasSteppedRestart: hasSteppedRestart(traits) })
  }
  // Another program or another key of the same policy is another process; gateways wait for it.
  const inputPaths = [`${server.folder}/opa.yaml`, programMarker(installed)]
  const source = { content, inputs: [server.key], inputPaths }
  return [
    account({ name: ACCOUNT.opa, isSystem: true }),
    directory({ path: HOST_PATH.opaFolder, ...ROOT, mode: '0755' }),
    program(installed),
    directory({ path: HOST_PATH.opaConfigFolder, ...ROOT, mode: '0755' }),
    policyBundle({ path: server.folder, options: server.bundle }),
    directory({ path: HOST_PATH.opaSocketFolder, owner: ACCOUNT.opa, group: ACCOUNT.gateway, mode: '0750' }),
    unit({ name: UNIT.opa, ...source }),
    unit({ name: server.unit, ...source }),
  ]
}
