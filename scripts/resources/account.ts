/** A user account and its groups. */
import type { Resource } from '../core/resource.ts'

/** `groups` it must be in, `groupsForbidden` it must not; its own group has its name. `shell` is /usr/sbin/nologin for a system account unless given. */
export type AccountOptions = Readonly<{
  name: string
  isSystem: boolean
  home?: string
  shell?: string
  groups?: readonly string[]
  groupsForbidden?: readonly string[]
}>

/** The account, made when it is absent; its home, shell and groups mended. Never deleted. */
export const account = (options: AccountOptions): Resource => {
  throw new Error(`not written yet: ${options.name}`)
}
