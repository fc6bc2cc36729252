/** Which keys a host may show: known_hosts as ssh(1) reads it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Pure; files are read elsewhere. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** One line: for whom it speaks, what kind of key it is, and the key itself (base64). */
export type KnownHost = Readonly<{
  marker: 'none' | 'revoked' | 'cert-authority'
  patterns: readonly string[]
  type: string
  key: string
  line: number
}>

/**
 * What the file says of a key. `unknown`: nothing of this host; `changed`: it knows a key of this type, and it is another one;
 * `other-types`: it knows keys of other types only; `authority`: only a certificate authority is named, which is not supported.
 */
export type HostKeyVerdict =
  | Readonly<{ verdict: 'known' }>
  | Readonly<{ verdict: 'unknown' }>
  | Readonly<{ verdict: 'changed' | 'revoked' | 'other-types' | 'authority'; line: number }>

/** Reads the file's text; comments, blank and damaged lines are passed over, as ssh does. */
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

/** How the file names a host: plain for port 22, `[name]:port` for others; always in lower case. */
export function knownHostName(name: string, port: number): string {
  return port === 22 ? name.toLowerCase() : `[${name.toLowerCase()}]:${port}`
}

function isHashOf(pattern: string, name: string): boolean {
  const [, , salt = '', hash = ''] = pattern.split('|')
  const wanted = Buffer.from(hash, 'base64')
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return wanted.length === found.length && timingSafeEqual(wanted, found)
}

function isGlobOf(pattern: string, name: string): boolean {
  const source = pattern
    .toLowerCase()
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(name)
}

/** A pattern with `!` that fits rules the whole line out. */
function isFor({ patterns }: KnownHost, name: string): boolean {
  const fits = (pattern: string) => (pattern.startsWith('|1|') ? isHashOf(pattern, name) : isGlobOf(pattern, name))
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern))
}

/** The type that a key says it is: the first string in its blob (RFC 4253, 6.6). */
export function keyType(blob: Buffer): string {
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1')
}

/** Judges the key (its blob) that a host showed. A revoked key is refused whoever shows it. */
export function judgeHostKey(entries: readonly KnownHost[], name: string, port: number, blob: Buffer): HostKeyVerdict {
  const key = blob.toString('base64')
  const type = keyType(blob)
  const mine = entries.filter((entry) => isFor(entry, knownHostName(name, port)))
  const revoked = mine.find((entry) => entry.marker === 'revoked' && entry.key === key)
  if (revoked !== undefined) return { verdict: 'revoked', line: revoked.line }
  const plain = mine.filter((entry) => entry.marker === 'none')
  if (plain.some((entry) => entry.type === type && entry.key === key)) return { verdict: 'known' }
  const changed = plain.find((entry) => entry.type === type)
  if (changed !== undefined) return { verdict: 'changed', line: changed.line }
  const authority = mine.find((entry) => entry.marker === 'cert-authority')
  if (authority !== undefined) return { verdict: 'authority', line: authority.line }
  const other = plain[0]
  return other === undefined ? { verdict: 'unknown' } : { verdict: 'other-types', line: other.line }
}

/** The kinds of key that the file knows for a host, to be asked for first: a host with several then shows one that can be checked. */
export function knownKeyKinds(entries: readonly KnownHost[], name: string, port: number): readonly string[] {
  return [
    ...new Set(
      entries
        .filter((entry) => entry.marker === 'none' && isFor(entry, knownHostName(name, port)))
        .map((entry) => entry.type),
    ),
  ]
}

/** The line to add for a key that was accepted. */
export function renderKnownHost(name: string, port: number, blob: Buffer): string {
  return `${knownHostName(name, port)} ${keyType(blob)} ${blob.toString('base64')}\n`
}
