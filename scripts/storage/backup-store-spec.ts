/** The setting `backup.store`: the bucket, or the folder of an SSH server, that copies of backups go to. */
import * as v from 'valibot'
import {
  STORE_CREDENTIALS,
  type StoreCredentialId,
  type StoreSettings,
  storeLabel,
} from '../../contract/backup-store.ts'

const endpoint = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s'"\\/?#@]+\/?$/, 'must be https://HOST or https://HOST:PORT; keys go in with --secret'),
)
const bucket = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket'))
const region = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a region'))
const prefix = v.pipe(
  v.string(),
  v.regex(/^([A-Za-z0-9_.-]+\/)*$/, 'must be empty or end with a slash: "servers/one/", of letters, digits and ._-'),
)
const target = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_.-]+@([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):\/[A-Za-z0-9_./-]*$/, 'must be USER@HOST:/FOLDER'),
)
const hostKey = v.pipe(
  v.string(),
  v.regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}$/,
    'must be a public host key: "ssh-ed25519 AAAA…", as ssh-keyscan prints it behind the name',
  ),
)

/** One of the two. */
export const backupStoreSchema = v.optional(
  v.strictObject({
    s3: v.optional(
      v.strictObject({
        endpoint,
        bucket,
        region: v.optional(region, 'us-east-1'),
        prefix: v.optional(prefix, ''),
      }),
    ),
    ssh: v.optional(
      v.strictObject({
        target,
        port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), 22),
        hostKey,
      }),
    ),
  }),
)

/** The setting, where there is one. */
export type StoreSetting = Readonly<{
  backup: Readonly<{ store?: v.InferOutput<typeof backupStoreSchema> | undefined; recoveryKey?: string | undefined }>
}>

/** Returns where copies go; undefined: nowhere. */
export function storeOf({ backup: { store } }: StoreSetting): StoreSettings | undefined {
  if (store?.s3 !== undefined) return { kind: 's3', ...store.s3 }
  if (store?.ssh === undefined) return undefined
  const { target: text, ...rest } = store.ssh
  const [, user = '', host = '', folder = ''] = /^(.+)@(.+):(\/.*)$/.exec(text) ?? []
  return { kind: 'ssh', user, host: host.replace(/^\[(.*)\]$/, '$1'), folder, ...rest }
}

/** Returns the text of the settings that the copy reads. */
export function storeSettingsText(store: StoreSettings, recipient: string): string {
  return `${JSON.stringify({ recipient, store }, null, 2)}\n`
}

/** Returns the secrets that the store takes, each with the reason. */
export function neededStoreSecrets(spec: StoreSetting): readonly Readonly<{ id: StoreCredentialId; reason: string }>[] {
  const store = storeOf(spec)
  if (store === undefined) return []
  return STORE_CREDENTIALS[store.kind].map((id) => ({ id, reason: `backup.store is ${storeLabel(store)}` }))
}

/** Returns what contradicts itself, with the keys that it is about. */
export function storeContradictions({
  backup,
  storage,
}: StoreSetting & Readonly<{ storage?: Readonly<{ database?: string }> | undefined }>): readonly (readonly [
  keys: readonly string[],
  problem: string,
])[] {
  const { store, recoveryKey } = backup
  if (store === undefined) return []
  const kinds = [store.s3, store.ssh].filter((each) => each !== undefined).length
  return [
    ...(kinds === 1 ? [] : [[['backup', 'store'], 'needs s3 or ssh, and not both'] as const]),
    ...(recoveryKey === undefined
      ? [[['backup', 'store'], 'needs backup.recoveryKey: copies are sealed to it'] as const]
      : []),
    ...(storage?.database === 'external'
      ? [[['backup', 'store'], 'has nothing to copy: storage.database is external'] as const]
      : []),
  ]
}
