/** Verifies the key of a host against known_hosts files, and adds new keys to them. */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { HostAddress } from './host-address.ts'
import { certificateProblem, parseHostCertificate } from './host-certificate.ts'
import {
  authoritiesOf,
  checkHostKey,
  type HostKeyStatus,
  type KnownHost,
  keyType,
  keyTypesOf,
  knownHostName,
  parseKnownHosts,
  renderKnownHost,
  revocationOf,
} from './known-hosts.ts'
import type { SshAccess } from './ssh-access.ts'

/**
 * `check` returns why a key (its blob) is rejected; undefined when it is accepted. `hasAuthority`: an authority may speak for the host, and `certify` is to be
 * given the certificate that the server shows, if any, before: the key in it is accepted. `types` are the key types to prefer, known from then on.
 */
export type HostKeyCheck = Readonly<{
  types: () => readonly string[]
  hasAuthority: boolean
  certify: (certificate: Buffer | undefined) => void
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

function explain(
  status: HostKeyStatus,
  address: HostAddress,
  path: string,
  blob: Buffer,
  uncertified: string,
): Failure {
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
        `${place} names a certificate authority, and ${uncertified}`,
        address,
        `have the authority sign a key of the host (ssh-keygen -h, HostCertificate in sshd_config); or add the host's own key ${offered}: ${compare}; then ${scan(address)} >>${path}`,
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

/** What a certificate says of a host: the key that is accepted for it, or why none is. */
type Certified = Readonly<{ key: Buffer }> | Readonly<{ why: string }>

const NO_CERTIFICATE =
  'the server shows no certificate of an Ed25519 or ECDSA key (those of RSA keys are not supported)'

function judgeCertificate(
  files: readonly KnownHostsFile[],
  { name, port }: HostAddress,
  blob: Buffer | undefined,
  nowMs: number,
): Certified {
  const certificate = blob && parseHostCertificate(blob)
  if (certificate === undefined)
    return { why: blob === undefined ? NO_CERTIFICATE : 'the certificate that the server shows is damaged' }
  const { key, authority } = certificate
  const signer = authority.toString('base64')
  const isOurs = files.some(({ entries }) => authoritiesOf(entries, name, port).some((each) => each.key === signer))
  if (!isOurs)
    return { why: `the server's certificate is signed by another one: ${keyType(authority)} ${fingerprint(authority)}` }
  for (const { path, entries } of files) {
    const revoked = revocationOf(entries, name, port, authority) ?? revocationOf(entries, name, port, key)
    if (revoked !== undefined)
      return { why: `${path}:${revoked.line} revokes the key of the server's certificate or its authority` }
  }
  const problem = certificateProblem(certificate, name, nowMs)
  return problem === undefined ? { key } : { why: problem }
}

/** Reads the files at once. An unknown key is added to the first file when `shouldAcceptNewKey` is set. */
export function createHostKeyCheck(
  address: HostAddress,
  { knownHosts, shouldAcceptNewKey, nowMs }: SshAccess,
): HostKeyCheck {
  const { name, port } = address
  const files = knownHosts.map(readEntries)
  let certified: Certified = { why: NO_CERTIFICATE }
  const check = (blob: Buffer): Failure | undefined => {
    const results = files.map(({ path, entries }) => ({ path, status: checkHostKey(entries, name, port, blob) }))
    results.sort((a, b) => SEVERITY.indexOf(a.status.kind) - SEVERITY.indexOf(b.status.kind))
    const { path, status } = results[0] as (typeof results)[number]
    if (status.kind === 'known') return undefined
    if (status.kind !== 'revoked' && 'key' in certified && certified.key.equals(blob)) return undefined
    const why = 'why' in certified ? certified.why : 'the server offered another key than that of its certificate'
    if (status.kind !== 'unknown' || !shouldAcceptNewKey) return explain(status, address, path, blob, why)
    addLine(knownHosts[0], renderKnownHost(name, port, blob))
    return undefined
  }
  return {
    // The key of a valid certificate alone, as with ssh: a line of the host's own may be an older one.
    types: () =>
      'key' in certified ? [keyType(certified.key)] : files.flatMap(({ entries }) => keyTypesOf(entries, name, port)),
    hasAuthority: files.some(({ entries }) => authoritiesOf(entries, name, port).length > 0),
    certify: (certificate) => {
      certified = judgeCertificate(files, address, certificate, nowMs())
    },
    check,
  }
}
