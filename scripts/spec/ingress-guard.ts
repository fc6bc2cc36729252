/** What of a host changes together when its ingress does: guarded as one, so that it can be put back as one. */
import { HOST_PATH } from '../../contract/path.ts'
import { CONNECTORS, connectors, standbyUnit, UNIT } from '../../contract/unit.ts'
import type { Guard } from '../core/guard.ts'
import type { Resource } from '../core/resource.ts'
import { unitPath } from '../core/unit-command.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { INGRESS_SECRET_IDS } from '../secrets/ingress-secret.ts'

const STANDBY = standbyUnit(UNIT.caddy)

/** Caddy, the connectors of a tunnel, and what they are started with. */
export const INGRESS_GUARD: Guard = {
  paths: [
    ...[HOST_PATH.caddyfile, HOST_PATH.caddyEnvironment, HOST_PATH.listenerRule, HOST_PATH.tunnelConfig],
    ...[HOST_PATH.currentCaddy, HOST_PATH.currentCloudflared],
    ...[UNIT.caddy, STANDBY, UNIT.tunnel].map(unitPath),
    ...INGRESS_SECRET_IDS.flatMap(credentialPaths),
  ],
  units: [],
  serving: [{ name: UNIT.caddy, standby: STANDBY }, ...connectors(CONNECTORS).map((name) => ({ name }))],
}

/** Returns the resources as parts of the ingress. */
export function ofIngress(resources: readonly Resource[]): readonly Resource[] {
  return resources.map((resource) => ({ ...resource, guardedWith: INGRESS_GUARD }))
}
