/** The roles of a host, in the order in which they are applied. */

import type { Resource } from './core/resource.ts'
import { backup } from './roles/backup.ts'
import { boot } from './roles/boot.ts'
import { data } from './roles/data.ts'
import { docker } from './roles/docker.ts'
import { drift } from './roles/drift.ts'
import { foundation } from './roles/foundation.ts'
import { gateway } from './roles/gateway.ts'
import { housekeeping } from './roles/housekeeping.ts'
import { identity } from './roles/identity.ts'
import { ingress } from './roles/ingress.ts'
import { opa } from './roles/opa.ts'
import { secrets } from './roles/secrets.ts'
import { settings } from './roles/settings.ts'
import { site } from './roles/site.ts'
import { tunnel } from './roles/tunnel.ts'
import type { HostSpec } from './spec/host-spec.ts'
import type { Role } from './spec/role.ts'

/** The name of a role (for `--only`), with its resources in order. */
export type RoleResources = Readonly<{ role: string; resources: readonly Resource[] }>

/** In order: each role may rely on those above it. */
const ROLES: Readonly<Record<string, Role>> = {
  foundation,
  docker,
  secrets,
  data,
  opa,
  identity,
  gateway,
  tunnel,
  ingress,
  backup,
  housekeeping,
  drift,
  boot,
  site,
  settings,
}

/** The names of the roles, in order. */
export const ROLE_NAMES: readonly string[] = Object.keys(ROLES)

/** Returns all resources of a host, by role. `spec` is the desired state, `text` returns a file of this repository by its path. */
export function recipe(spec: HostSpec, text: (path: string) => string): readonly RoleResources[] {
  const earlier: Resource[] = []
  return Object.entries(ROLES).map(([role, resourcesOf]) => {
    const resources = resourcesOf(spec, text, [...earlier]).map((resource) => ({ ...resource, role }))
    earlier.push(...resources)
    return { role, resources }
  })
}
