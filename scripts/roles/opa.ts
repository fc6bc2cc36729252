/** OPA: the program, the signed bundle of this release's policy, and a server for it beside those of other policies. */

import { HOST_PATH } from '../../contract/path.ts'
import { ACCOUNT, UNIT } from '../../contract/unit.ts'
import { opaUrl } from '../artifacts/opa-url.ts'
import { parsePins } from '../artifacts/pin.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { account } from '../resources/account.ts'
import { directory } from '../resources/directory.ts'
import { policyBundle } from '../resources/policy-bundle.ts'
import { type ProgramDownload, program, programMarker } from '../resources/program.ts'
import { unit } from '../resources/unit.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { opaServerOf } from '../spec/policy-spec.ts'
import { proxyFor } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const
/** Of the limit; the rest is for what Go does not count. */
const GO_MEMORY_SHARE = 0.85

function download(
  { downloads, opa, proxy }: HostSpec,
  text: (path: string) => string,
  version: string,
): ProgramDownload {
  const from = downloads.opa ?? parsePins(text('versions.yaml')).opa.download
  const urls = ['x64', 'arm64'].map((architecture) => [`linux-${architecture}`, opaUrl(from, version, architecture)])
  return { urls: Object.fromEntries(urls), sha256: opa.sha256, proxy: (url) => proxyFor(proxy, url) }
}

/** The role `opa`: nothing where the gateways decide by themselves. Servers of earlier policies go when no gateway asks them (role `settings`). */
export const opa: Role = (spec, text) => {
  const server = opaServerOf(spec, text)
  if (server === undefined) return []
  const { version } = server
  const installed = {
    ...{ folder: HOST_PATH.opaFolder, name: 'opa', version, says: `Version: ${version}`, link: HOST_PATH.currentOpa },
    source: spec.opa.program ?? download(spec, text, version),
    setting: 'opa',
    remedy: `downloads.opa: a mirror; opa.program: a file (opa_linux_amd64_static, ${version}); or policy.engine: embedded`,
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
