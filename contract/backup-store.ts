/** Where copies of backups go: the settings of a store, the credentials that it takes, and how its copies are doing. */
import { createPrivateKey } from 'node:crypto'

/** A bucket. `prefix` stands before each name; it is empty or ends with a slash. */
export type S3Store = Readonly<{ kind: 's3'; endpoint: string; bucket: string; region: string; prefix: string }>

/** A folder of an SSH server, whose key (`ssh-ed25519 AAAA…`) is the only one that is believed. */
export type SshStore = Readonly<{
  kind: 'ssh'
  user: string
  host: string
  port: number
  folder: string
  hostKey: string
}>

/** One of them. */
export type StoreSettings = S3Store | SshStore

/** The credentials that each kind takes. */
export const STORE_CREDENTIALS = {
  s3: ['backup-store-key-id', 'backup-store-secret'],
  ssh: ['backup-store-ssh-key'],
} as const satisfies Record<StoreSettings['kind'], readonly string[]>

/** All ids. */
export const STORE_CREDENTIAL_IDS = [...STORE_CREDENTIALS.s3, ...STORE_CREDENTIALS.ssh] as const

/** The id of one. */
export type StoreCredentialId = (typeof STORE_CREDENTIAL_IDS)[number]

/** Their values. */
export type StoreSecrets = Readonly<Partial<Record<StoreCredentialId, string>>>

/** Returns a store in the words that people know it by; it holds no secret. */
export function storeLabel(store: StoreSettings): string {
  if (store.kind === 's3') return `${store.endpoint.replace(/\/$/, '')}/${store.bucket}/${store.prefix}`
  const host = store.host.includes(':') ? `[${store.host}]` : store.host
  return `ssh://${store.user}@${host}:${store.port}${store.folder}`
}

function isOpenKey(text: string): boolean {
  // OpenSSH's own form is read by the SSH library; what it shares with PEM is its first line.
  if (/^-----BEGIN OPENSSH PRIVATE KEY-----\n[\s\S]+\n-----END OPENSSH PRIVATE KEY-----$/.test(text.trim())) return true
  try {
    createPrivateKey(text)
    return true
  } catch {
    return false
  }
}

/** Returns what is wrong with the text of the credential `id`, as a sentence that never holds it; undefined when nothing is, and for any other id. */
export function storeCredentialProblem(id: string, text: string): string | undefined {
  if (id === 'backup-store-ssh-key') {
    return isOpenKey(text) ? undefined : 'is not a private SSH key without a passphrase'
  }
  if (!STORE_CREDENTIAL_IDS.some((each) => each === id)) return undefined
  return /^[\x21-\x7e]+$/.test(text) ? undefined : 'has a blank or a character that no key has'
}

/**
 * What the last run of the copy has left. Times are ISO; `waitingSince` is when the oldest verified backup was taken that has no copy and is
 * newer than all that have one; `copiedAt` is when a copy was last finished; `problem` is why this run ended. `walWaitingSince` is when the oldest segment of the log was archived that
 * has no copy, `walCopiedAt` when the newest was that has one. `rotten` is what a look at the copies has found that is not as it was copied.
 */
export type CopyRecord = Readonly<{
  at: string
  store: string
  waitingSince?: string | undefined
  copiedAt?: string | undefined
  problem?: string | undefined
  walWaitingSince?: string | undefined
  walCopiedAt?: string | undefined
  rotten?: string | undefined
}>

/** The timer looks every hour. */
const RUN_HOURS_MAX = 3
const WAITING_HOURS_MAX = 24
/** What was recorded since is lost with the server. */
const WAL_WAITING_HOURS_MAX = 1
const HOUR_MS = 3_600_000

/** What of the log is not copied, or until when it is; empty for a host that archives none. */
function walText({ walWaitingSince, walCopiedAt }: CopyRecord): string {
  if (walWaitingSince !== undefined) return `, the log waits since ${walWaitingSince}`
  return walCopiedAt === undefined ? '' : `, the log until ${walCopiedAt}`
}

/** Judges the copies: undefined is no record. A backup that waits for less than a day is no fault by itself, nor is the log for less than an hour. */
export function judgeCopies(
  record: CopyRecord | undefined,
  nowMs: number,
): Readonly<{ level: 'ok' | 'soon' | 'failed'; state: string }> {
  if (record === undefined) return { level: 'soon', state: 'no copy was tried yet' }
  const { at, waitingSince, copiedAt, problem, walWaitingSince, rotten } = record
  const since = copiedAt === undefined ? 'no copy was ever made' : `no copy was made since ${copiedAt}`
  const hoursSince = (time: string) => (nowMs - Date.parse(time)) / HOUR_MS
  const isOlder = (time: string | undefined, hours: number) => time !== undefined && !(hoursSince(time) < hours)
  if (isOlder(at, RUN_HOURS_MAX)) return { level: 'failed', state: `${since}: its timer has not run since ${at}` }
  if (rotten !== undefined) return { level: 'failed', state: `a copy is rotten: ${rotten}` }
  const wal = walText(record)
  if (waitingSince === undefined && problem === undefined && walWaitingSince === undefined)
    return {
      level: 'ok',
      state: `${copiedAt === undefined ? 'there is no verified backup yet' : `copied ${copiedAt}`}${wal}`,
    }
  const isLate = isOlder(waitingSince, WAITING_HOURS_MAX) || isOlder(walWaitingSince, WAL_WAITING_HOURS_MAX)
  const why = problem === undefined ? 'the copy is not finished' : problem
  if (isLate) return { level: 'failed', state: `${since}${wal}: ${why}` }
  return problem === undefined
    ? { level: 'ok', state: `a copy is being made${wal}` }
    : { level: 'soon', state: `${since}${wal}: ${why}` }
}
