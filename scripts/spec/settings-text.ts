/** What was set of a host's settings, as the host keeps it: a run without `--config` starts from these. Pure. */
import { stringify } from 'yaml'
import type { HostSpec } from './host-spec.ts'
import { imagesOfHost } from './image-spec.ts'
import { siteOfHost } from './site-spec.ts'

const NOTICE =
  '# What was set of the settings, written by the toolkit; all others have their defaults. A run without --config starts from these, one with\n# --config replaces them.\n'

/** Keys that name files of the controller. */
const CONTROLLER_KEYS: readonly string[] = [
  ...(['node', 'caddy', 'cloudflared', 'opa', 'spire', 'spiffeHelper'] satisfies (keyof HostSpec)[]),
]

/** Returns the text. A default is not recorded, for it belongs to the release; nor is a file of the controller. */
export function settingsText(spec: HostSpec): string {
  const current = Object.fromEntries(
    Object.entries(spec.written).flatMap(([key, value]) => {
      const kept = key === 'images' ? imagesOfHost(value) : key === 'site' ? siteOfHost(value) : value
      return CONTROLLER_KEYS.includes(key) || kept === undefined ? [] : [[key, kept]]
    }),
  )
  if (spec.opa.sha256 !== undefined) current['opa'] = { sha256: spec.opa.sha256 }
  return `${NOTICE}${stringify(current)}`
}
