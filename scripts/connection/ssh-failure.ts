/** Why a host cannot be reached over SSH, and what to do about it. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { type HostAddress, renderHostAddress } from './host-address.ts'
import { type SshAccess, sshCommand } from './ssh-access.ts'
import type { Identities } from './ssh-identity.ts'

/** An error of ssh2; `level` says at which stage. */
export type SshError = Error & Readonly<{ level?: string }>

/** A host that cannot be reached (exit 6). */
export function unreachable(address: HostAddress, why: string, next: string, cause?: unknown): Failure {
  return new Failure(
    { what: `cannot connect to ${renderHostAddress(address)}`, why, next },
    EXIT_CODE.unreachable,
    cause,
  )
}

/** No key was accepted, or there is none. */
export function permissionDenied(
  address: HostAddress,
  { agent }: SshAccess,
  { keys, passedOver }: Identities,
  cause?: unknown,
): Failure {
  const offered = [...(agent === undefined ? [] : ['the keys of the SSH agent']), ...keys.map(({ path }) => path)]
  const others = passedOver.map(({ text }) => `; ${text.what}: ${text.why}`).join('')
  const why = `permission denied (publickey): ${offered.length === 0 ? 'no SSH key to offer' : `offered ${offered.join(', ')}`}${others}`
  const copy = `${sshCommand(address, 'ssh-copy-id')}, or add --identity FILE`
  const locked = passedOver[0]?.text.next
  const next =
    locked !== undefined ? `${locked}; or ${copy}` : offered.length === 0 ? `ssh-keygen -t ed25519, then ${copy}` : copy
  return unreachable(address, why, next, cause)
}

/** Explains an error of ssh2. */
export function explainSshError(
  address: HostAddress,
  access: SshAccess,
  identities: Identities,
  error: SshError,
): Failure {
  return error.level === 'client-authentication'
    ? permissionDenied(address, access, identities, error)
    : unreachable(
        address,
        error.message,
        `check the host (${sshCommand(address)}), then run the same command again`,
        error,
      )
}
