/** Verifies the key of a host against known_hosts files, and adds new keys to them. */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { HostAddress } from './host-address.ts'
import {
  checkHostKey,
  type HostKeyStatus,
  type KnownHost,
  keyType,
  keyTypesOf,
  knownHostName,
  parseKnownHosts,
  renderKnownHost,
} from './known-hosts.ts'
import type { SshAccess } from './ssh-access.ts'

/** `types` are the key types to prefer. `check` returns why a key (its blob) is rejected; undefined when it is accepted. */
export type HostKeyCheck = Readonly<{
  types: readonly string[]
  check: (blob: Buffer) => Failure | undefined
}>

type KnownHostsFile = Readonly<{ path: string; entries: readonly KnownHost[] }>

function readEntries(path: string): KnownHostsFile {
  try {
    return { path, entries: parseKnownHosts(readFileSync(path, 'utf8')) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { path, entries: [] }
    throw new Failure(
      { what: `cannot read ${path}`, why: String(error), next: `check the path: ${quoteAll(['ls', '-l', path])}` },
      EXIT_CODE.usage,
      error,
    )
  }
}

/** In the format of `ssh-keygen -l`. */
function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

function hostKeyFailure(why: string, { name }: HostAddress, next: string): Failure {
  return new Failure({ what: `host key verification failed for ${name}`, why, next }, EXIT_CODE.unreachable)
}

/** The command that prints the host's key as a line of known_hosts. */
function scan({ name, port }: HostAddress): string {
  return quoteAll(['ssh-keyscan', ...(port === 22 ? [] : ['-p', String(port)]), name])
}

function explain(status: HostKeyStatus, address: HostAddress, path: string, blob: Buffer): Failure {
  const type = keyType(blob)
  const offered = `${type} ${fingerprint(blob)}`
  const publicKeyFile = `/etc/ssh/ssh_host_${/ed25519|ecdsa|rsa/.exec(type)?.[0] ?? 'ed25519'}_key.pub`
  const compare = `on the server's console run ssh-keygen -lf ${publicKeyFile} and compare`
  const place = 'line' in status ? `${path}:${status.line}` : path
  switch (status.kind) {
    case 'changed':
      return hostKeyFailure(
        `host key changed: the server offered ${offered}, ${place} has another key (possible man-in-the-middle attack)`,
        address,
        `${compare}; if the server was reinstalled: ${quoteAll(['ssh-keygen', '-R', knownHostName(address.name, address.port), '-f', path])}`,
      )
    case 'revoked':
      return hostKeyFailure(
        `${place} marks the offered key ${offered} as revoked`,
        address,
        `ask whoever revoked it: grep -n @revoked ${path}`,
      )
    case 'authority':
      return hostKeyFailure(
        `${place} names a certificate authority; host certificates are not supported`,
        address,
        `add the host's own key ${offered}: ${compare}; then ${scan(address)} >>${path}`,
      )
    case 'other-types':
      return hostKeyFailure(
        `the server offered ${offered}, ${path} has keys of other types only`,
        address,
        `${compare}; then ${scan(address)} >>${path}`,
      )
    case 'unknown':
    case 'known':
      return hostKeyFailure(
        `unknown host key (not in ${path}): ${offered}`,
        address,
        `${compare}; then add --accept-new-host-key`,
      )
  }
}

/** Most severe first: a revoked or changed key in one file is not outweighed by another file. */
const SEVERITY = ['revoked', 'changed', 'known', 'other-types', 'authority', 'unknown'] as const

/** Adds a line to a file whose last one may not be ended: put behind it, it would spoil both. */
function addLine(path: string, line: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  appendFileSync(path, text === '' || text.endsWith('\n') ? line : `\n${line}`, { mode: 0o600 })
}

/** Reads the files at once. An unknown key is added to the first file when `shouldAcceptNewKey` is set. */
export function createHostKeyCheck(address: HostAddress, { knownHosts, shouldAcceptNewKey }: SshAccess): HostKeyCheck {
  const { name, port } = address
  const files = knownHosts.map(readEntries)
  const check = (blob: Buffer): Failure | undefined => {
    const results = files.map(({ path, entries }) => ({ path, status: checkHostKey(entries, name, port, blob) }))
    results.sort((a, b) => SEVERITY.indexOf(a.status.kind) - SEVERITY.indexOf(b.status.kind))
    const { path, status } = results[0] as (typeof results)[number]
    if (status.kind === 'known') return undefined
    if (status.kind !== 'unknown' || !shouldAcceptNewKey) return explain(status, address, path, blob)
    addLine(knownHosts[0], renderKnownHost(name, port, blob))
    return undefined
  }
  return { types: files.flatMap(({ entries }) => keyTypesOf(entries, name, port)), check }
}
