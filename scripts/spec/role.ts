/** A role: a capability of a host, as an ordered list of resources. */

import type { Resource } from '../core/resource.ts'
import type { HostSpec } from './host-spec.ts'

/** Returns the resources of the role. Pure: `spec` is the desired state, `text` returns a file of this repository by its path from the root, `earlier` are the resources of the roles above it. */
export type Role = (
  spec: HostSpec,
  text: (path: string) => string,
  earlier?: readonly Resource[],
) => readonly Resource[]
