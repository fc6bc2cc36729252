/** Whether the key that a host shows is believed: known_hosts files read, judged, and added to. */
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { HostAddress } from './host-address.ts'
import {
  type HostKeyVerdict,
  judgeHostKey,
  type KnownHost,
  keyType,
  knownKeyKinds,
  parseKnownHosts,
  renderKnownHost,
} from './known-hosts.ts'
import type { SshAccess } from './ssh-access.ts'

/** `types` are those to ask for first. `check` gives the reason why a key (its blob) is not believed, or undefined. */
export type HostKeyCheck = Readonly<{
  types: readonly string[]
  check: (blob: Buffer) => Failure | undefined
}>

type File = Readonly<{ path: string; entries: readonly KnownHost[] }>

function readEntries(path: string): File {
  try {
    return { path, entries: parseKnownHosts(readFileSync(path, 'utf8')) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { path, entries: [] }
    throw new Failure(
      { what: `${path} can't be read`, why: String(error), next: 'check --known-hosts' },
      EXIT_CODE.usage,
      error,
    )
  }
}

/** As ssh-keygen -l shows it. */
function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

function refusal(why: string, { name }: HostAddress, next: string): Failure {
  return new Failure({ what: `the host key of ${name} is not believed`, why, next }, EXIT_CODE.unreachable)
}

function explain(verdict: HostKeyVerdict, address: HostAddress, path: string, blob: Buffer): Failure {
  const shown = `${keyType(blob)} ${fingerprint(blob)}`
  const at = 'line' in verdict ? `${path}:${verdict.line}` : path
  switch (verdict.verdict) {
    case 'changed':
      return refusal(
        `it shows ${shown}, and ${at} has another key: somebody may be in between`,
        address,
        `compare it on the host's own console, then mend ${at}`,
      )
    case 'revoked':
      return refusal(`${at} revokes the key ${shown}`, address, 'find out why it was revoked')
    case 'authority':
      return refusal(
        `${at} names a certificate authority, and host certificates are not supported`,
        address,
        `add the host's own key to ${path}`,
      )
    case 'other-types':
      return refusal(
        `it shows ${shown}, and ${at} knows keys of other types only`,
        address,
        `add that key to ${path} after comparing it`,
      )
    case 'unknown':
    case 'known':
      return refusal(
        `${path} has no key of it; it shows ${shown}`,
        address,
        `compare it on the host's own console, then connect once with --accept-new-host-key`,
      )
  }
}

/** The gravest of what the files say: a revocation or a change in one is not outweighed by another. */
const GRAVITY = ['revoked', 'changed', 'known', 'other-types', 'authority', 'unknown'] as const

/** Reads the files at once. A key that is new altogether is added to the first file where the access says so. */
export function hostKeyCheck(address: HostAddress, { knownHosts, isNewAccepted }: SshAccess): HostKeyCheck {
  const { name, port } = address
  const files = knownHosts.map(readEntries)
  const check = (blob: Buffer): Failure | undefined => {
    const judged = files.map(({ path, entries }) => ({ path, verdict: judgeHostKey(entries, name, port, blob) }))
    judged.sort((a, b) => GRAVITY.indexOf(a.verdict.verdict) - GRAVITY.indexOf(b.verdict.verdict))
    const { path, verdict } = judged[0] as (typeof judged)[number]
    if (verdict.verdict === 'known') return undefined
    if (verdict.verdict !== 'unknown' || !isNewAccepted) return explain(verdict, address, path, blob)
    mkdirSync(dirname(knownHosts[0]), { recursive: true, mode: 0o700 })
    appendFileSync(knownHosts[0], renderKnownHost(name, port, blob), { mode: 0o600 })
    return undefined
  }
  return { types: files.flatMap(({ entries }) => knownKeyKinds(entries, name, port)), check }
}
