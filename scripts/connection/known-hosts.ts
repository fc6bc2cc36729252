/** Parses known_hosts as ssh(1) does (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) and looks up host keys. Pure. By hand: no kept library reads hashed, revoked and wildcard lines; tests compare with ssh-keygen. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** A line of the file: host patterns, key type, and the key (base64). */
export type KnownHost = Readonly<{
  marker: 'none' | 'revoked' | 'cert-authority'
  patterns: readonly string[]
  type: string
  key: string
  line: number
}>

/**
 * The status of a host's key. `unknown`: no entry for the host; `changed`: the entry of this type holds another key;
 * `other-types`: only entries of other types; `authority`: only a certificate authority.
 */
export type HostKeyStatus =
  | Readonly<{ kind: 'known' }>
  | Readonly<{ kind: 'unknown' }>
  | Readonly<{ kind: 'changed' | 'revoked' | 'other-types' | 'authority'; line: number }>

/** Parses the text of a file; comments, blank and malformed lines are skipped, as ssh does. */
export function parseKnownHosts(text: string): readonly KnownHost[] {
  return text.split('\n').flatMap((row, index) => {
    const words = row.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) return []
    const marker = words[0]?.startsWith('@') ? words.shift()?.slice(1) : 'none'
    const [names = '', type = '', key = ''] = words
    if ((marker !== 'none' && marker !== 'revoked' && marker !== 'cert-authority') || key === '') return []
    return [{ marker, patterns: names.split(','), type, key, line: index + 1 }]
  })
}

/** Returns the name of a host in the file: plain for port 22, `[name]:port` for others; in lower case. */
export function knownHostName(name: string, port: number): string {
  return port === 22 ? name.toLowerCase() : `[${name.toLowerCase()}]:${port}`
}

function matchesHash(pattern: string, name: string): boolean {
  const [, , salt = '', hash = ''] = pattern.split('|')
  const expected = Buffer.from(hash, 'base64')
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return expected.length === found.length && timingSafeEqual(expected, found)
}

/** Whether a name is one of a pattern with `*` and `?`. */
export function matchesGlob(pattern: string, name: string): boolean {
  const source = pattern
    .toLowerCase()
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(name)
}

/** A matching pattern with `!` excludes the whole line. */
function matchesHost({ patterns }: KnownHost, name: string): boolean {
  const matches = (pattern: string) =>
    pattern.startsWith('|1|') ? matchesHash(pattern, name) : matchesGlob(pattern, name)
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

/** Returns the type of a key: the first string in its blob (RFC 4253, 6.6). */
export function keyType(blob: Buffer): string {
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1')
}

/** Looks up the key (its blob) that a host offered. A revoked key is rejected for every host that the line matches. */
export function checkHostKey(entries: readonly KnownHost[], name: string, port: number, blob: Buffer): HostKeyStatus {
  const key = blob.toString('base64')
  const type = keyType(blob)
  const matching = entries.filter((entry) => matchesHost(entry, knownHostName(name, port)))
  const revoked = revocationOf(entries, name, port, blob)
  if (revoked !== undefined) return { kind: 'revoked', line: revoked.line }
  const plain = matching.filter((entry) => entry.marker === 'none')
  if (plain.some((entry) => entry.type === type && entry.key === key)) return { kind: 'known' }
  const changed = plain.find((entry) => entry.type === type)
  if (changed !== undefined) return { kind: 'changed', line: changed.line }
  const authority = matching.find((entry) => entry.marker === 'cert-authority')
  if (authority !== undefined) return { kind: 'authority', line: authority.line }
  const other = plain[0]
  return other === undefined ? { kind: 'unknown' } : { kind: 'other-types', line: other.line }
}

/** Returns the lines of authorities that may speak for a host. */
export function authoritiesOf(entries: readonly KnownHost[], name: string, port: number): readonly KnownHost[] {
  const host = knownHostName(name, port)
  return entries.filter((entry) => entry.marker === 'cert-authority' && matchesHost(entry, host))
}

/** Returns the line that revokes a key for a host, of an authority or its own. */
export function revocationOf(
  entries: readonly KnownHost[],
  name: string,
  port: number,
  blob: Buffer,
): KnownHost | undefined {
  const [host, key] = [knownHostName(name, port), blob.toString('base64')]
  return entries.find((entry) => entry.marker === 'revoked' && entry.key === key && matchesHost(entry, host))
}

/** Returns the key types that the file has for a host. Preferring them makes a host with several keys offer one that can be verified. */
export function keyTypesOf(entries: readonly KnownHost[], name: string, port: number): readonly string[] {
  return [
    ...new Set(
      entries
        .filter((entry) => entry.marker === 'none' && matchesHost(entry, knownHostName(name, port)))
        .map((entry) => entry.type),
    ),
  ]
}

/** Returns the line to add for an accepted key. */
export function renderKnownHost(name: string, port: number, blob: Buffer): string {
  return `${knownHostName(name, port)} ${keyType(blob)} ${blob.toString('base64')}\n`
}
