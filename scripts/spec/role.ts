/** A capability of a host: what it must have, as an ordered list of resources. */

import type { Resource } from '../core/resource.ts'
import type { HostSpec } from './host-spec.ts'

/** Pure: `spec` says what is wanted, `text` gives a file of this repository by its path from the root. */
export type Role = (spec: HostSpec, text: (path: string) => string) => readonly Resource[]
