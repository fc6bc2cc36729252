/**
 * The manifest of a backup set, its signature, and the fingerprints of secrets. A set is a folder: `manifest.json`, `manifest.json.sig`, the files that the
 * manifest lists, and `verified.json` once it was restored as a proof.
 */
import * as v from 'valibot'
import { type NoteSigner, openNote, signNote } from '../checkpoint/signed-note.ts'
import { secretFingerprint, sha256 } from '../core/hash.ts'

/** The names of the files of a set that are its own. */
export const SET_FILE = {
  manifest: 'manifest.json',
  signature: 'manifest.json.sig',
  proof: 'verified.json',
  dump: 'database.dump',
  roles: 'roles.sql',
  ledger: 'ledger.json',
  settings: 'host.yaml',
  versions: 'versions.lock',
  history: 'history-head.json',
  secrets: 'secrets.age',
  spire: 'spire-server.age',
} as const

const DIGEST = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const COUNT = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** A plain name: a manifest leads nowhere outside its folder. */
const FILE_NAME = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/))

const MANIFEST = v.object({
  format: v.literal(2),
  name: v.string(),
  takenAt: v.pipe(v.string(), v.isoTimestamp()),
  release: v.string(),
  schema: v.pipe(v.string(), v.regex(/^\d{1,9}$/)),
  images: v.record(v.string(), v.string()),
  files: v.array(v.object({ name: FILE_NAME, bytes: COUNT, sha256: DIGEST })),
  rows: v.record(v.string(), COUNT),
  fingerprints: v.record(v.string(), DIGEST),
  recipient: v.nullable(v.string()),
  withheld: v.array(v.string()),
})

/**
 * `rows` are those of each table at the snapshot, `schema` is its newest migration, `images` what `versions.lock` says of them, `recipient` the recovery key
 * that secrets are sealed to. `withheld` names what there was and is not in the set, for want of such a key.
 */
export type BackupManifest = Readonly<v.InferOutput<typeof MANIFEST>>

/** What `verified.json` says: when the set was restored as a proof, how long that took, and what was compared. */
export type BackupProof = Readonly<{
  verifiedAt: string
  seconds: number
  manifest: string
  tables: number
  rows: number
  entries: number
  chains: number
  signed: number | null
  call: string
}>

/** Returns the manifest; undefined for what is none of this format. */
export function parseManifest(text: string): BackupManifest | undefined {
  try {
    const parsed = v.safeParse(MANIFEST, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** The name under which sets are signed. */
const SIGNED_AS = 'tappass/backup'

function statement(name: string, manifest: string): string {
  return `${name}\n${sha256(manifest)}\n`
}

/** Signs the text of a manifest, for the set of that name, with the key of the ledger's checkpoints. Returns the text of the signature's file. */
export function signManifest(signer: NoteSigner, name: string, manifest: string): string {
  return signNote(signer, SIGNED_AS, statement(name, manifest))
}

/** Whether one of the keys has signed that manifest for the set of that name. */
export function isSignedBy(keys: readonly Uint8Array[], name: string, manifest: string, signature: string): boolean {
  return keys.some((key) => openNote(signature, SIGNED_AS, key) === statement(name, manifest))
}

/**
 * Returns what tells whether a host has the same secrets without saying what they are, by id. The vault key is the key of it: it is random, so that nobody who has
 * a manifest alone can try out the weaker ones.
 */
export function fingerprintsOf(
  secrets: ReadonlyMap<string, Uint8Array>,
  vaultKey: Uint8Array,
): Readonly<Record<string, string>> {
  return Object.fromEntries([...secrets].map(([id, value]) => [id, secretFingerprint(vaultKey, id, value)]))
}
