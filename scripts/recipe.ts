/** The roles of a host, in the order in which they are applied. */

import { withoutNetwork } from './bundle/offline-source.ts'
import type { Resource } from './core/resource.ts'
import { backup } from './roles/backup.ts'
import { backupCopy } from './roles/backup-copy.ts'
import { boot } from './roles/boot.ts'
import { data } from './roles/data.ts'
import { docker } from './roles/docker.ts'
import { drift } from './roles/drift.ts'
import { firewall } from './roles/firewall.ts'
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
import { type HostSpec, parseHostSpec } from './spec/host-spec.ts'
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
  firewall,
  'backup-copy': backupCopy,
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
    const resources = resourcesOf(spec, text, [...earlier])
      .map((resource) => (spec.bundle === undefined ? resource : withoutNetwork(resource)))
      .map((resource) => ({ ...resource, role }))
    earlier.push(...resources)
    return { role, resources }
  })
}

/** What is taken away is found by paths, accounts and units, not by names in SPIFFE. */
const ANY_TRUST_DOMAIN = 'uninstall.invalid'

/** Any key in the form of age. */
const ANY_RECIPIENT = 'age1ldjdd5ecr94e6y4y0y3uv0jr7v0txh9wck7rehs9dnj7vhq9dpxq0ugzu4'

/**
 * Returns what an uninstall looks for: the resources of a host with every part that a setting turns on or off, each once and in the order of the recipe. A part that was turned off has left what an
 * earlier run had made, and a host whose settings are lost has parts that nobody remembers.
 */
export function removableResources(spec: HostSpec, text: (path: string) => string): readonly Resource[] {
  const other = parseHostSpec(
    {
      ingress: { kind: 'both', live: 'both' },
      identity: { trustDomain: ANY_TRUST_DOMAIN },
      drift: { repair: true },
      backup: {
        recoveryKey: ANY_RECIPIENT,
        store: { s3: { endpoint: 'https://uninstall.invalid', bucket: 'uninstall' } },
      },
      firewall: { outbound: [] },
    },
    'the defaults',
  )
  const variants: readonly HostSpec[] = [
    spec,
    // Which pages it was built from does not matter to what is taken away.
    {
      ...{ ...spec, ingress: other.ingress },
      site: spec.site === 'none' ? { pages: { ...spec.release, requirements: '' } } : spec.site,
    },
    { ...spec, docker: other.docker, storage: other.storage },
    { ...spec, firewall: other.firewall },
    { ...spec, policy: { engine: 'opa' } },
    { ...spec, identity: other.identity },
    { ...spec, drift: other.drift },
    { ...spec, backup: other.backup },
  ]
  const all = variants.flatMap((variant) => recipe(variant, text).flatMap((role) => role.resources))
  return [...new Map(all.toReversed().map((resource) => [resource.id, resource])).values()].toReversed()
}
