/** The table of contents of a host: which capabilities it gets, in the order in which they are laid down. */

import type { Resource } from './core/resource.ts'
import { backup } from './roles/backup.ts'
import { boot } from './roles/boot.ts'
import { data } from './roles/data.ts'
import { docker } from './roles/docker.ts'
import { foundation } from './roles/foundation.ts'
import { gateway } from './roles/gateway.ts'
import { ingress } from './roles/ingress.ts'
import { record } from './roles/record.ts'
import { secrets } from './roles/secrets.ts'
import type { HostSpec } from './spec/host-spec.ts'
import type { Role } from './spec/role.ts'

/** A role by its name (what `--only` takes), with its resources in order. */
export type Chapter = Readonly<{ role: string; resources: readonly Resource[] }>

/** The order is design: each role may rely on those above it. */
const ROLES: Readonly<Record<string, Role>> = {
  foundation,
  docker,
  secrets,
  data,
  gateway,
  ingress,
  backup,
  boot,
  record,
}

/** The names of the roles, in order. */
export const ROLE_NAMES: readonly string[] = Object.keys(ROLES)

/** Takes what is wanted and a reader of this repository's files, gives every resource of the host, role by role. */
export function recipe(spec: HostSpec, text: (path: string) => string): readonly Chapter[] {
  return Object.entries(ROLES).map(([role, resources]) => ({ role, resources: resources(spec, text) }))
}
