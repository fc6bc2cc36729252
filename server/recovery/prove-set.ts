/**
 * Proves a set: it is restored into a database of its own, which is compared with what was dumped, its ledger verified, and a gateway started on it that answers a
 * call. Only then `verified.json` is written. Whatever comes of it, the database is dropped.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { type BackupManifest, type BackupProof, SET_FILE } from '../backups/manifest.ts'
import { replaceFile } from '../backups/set-file.ts'
import { readPublicKey } from '../checkpoint/signed-note.ts'
import { sha256 } from '../core/hash.ts'
import type { Evidence } from '../ledger/verification.ts'
import { type BackupHost, backupFolderOf, DATABASE, readSecrets } from './backup-host.ts'
import { migrateRestored } from './migrate-restored.ts'
import { compareRows, createEmpty, fill, schemaOf, verifyRestoredLedger } from './restored-database.ts'
import type { LedgerState } from './set-content.ts'
import { tryGateway } from './trial-gateway.ts'

/** The gateway of the proof takes some 200 MB; the ones in force must not end for it. */
const FREE_MEMORY_MIN = 256 * 1024 ** 2

/** How the name of the folder begins in which the gateway of a proof keeps its checkpoints. */
export const PROOF_FOLDER = '.proof-'

/** A restoration that takes longer is ended. */
const FILL_MS_MAX = 4 * 3600 * 1000

/** Returns the keys and checkpoints that a set brings for its ledger. */
export async function evidenceOf(folder: string): Promise<Evidence> {
  const state = JSON.parse(await readFile(join(folder, SET_FILE.ledger), 'utf8')) as LedgerState
  return { publicKeys: state.publicKeys.flatMap((key) => readPublicKey(key) ?? []), notes: state.checkpoints }
}

async function prove(host: BackupHost, folder: string, { name, rows }: BackupManifest, scratch: string) {
  const database = DATABASE.proof
  const dump = { path: join(folder, SET_FILE.dump), form: 'custom', rows } as const
  await createEmpty(host, database)
  await fill(host, database, dump, AbortSignal.timeout(FILL_MS_MAX))
  const counts = await compareRows(host, database, dump)
  const ledger = await verifyRestoredLedger(host, database, await evidenceOf(folder))
  const { pending, problems } = await schemaOf(host, database)
  if (problems[0] !== undefined) throw new Error(`this release does not start on it: ${problems[0]}`)
  if (pending > 0) await migrateRestored(host, database)
  const call = await tryGateway(host, database, scratch, {
    secrets: await readSecrets(host),
    agentId: `proof-of-${name}`,
  })
  return { counts, ledger, call }
}

/** Throws where a proof would take memory from what is in force. */
export function checkMemory(): void {
  if (freemem() >= FREE_MEMORY_MIN) return
  throw new Error(
    `${Math.floor(freemem() / 1024 ** 2)} MB of memory are free, and a proof needs ${FREE_MEMORY_MIN / 1024 ** 2}`,
  )
}

/** Proves the set in that folder, and writes `verified.json` into it. Returns what that says; throws for what does not hold. */
export async function proveSet(host: BackupHost, folder: string, manifest: BackupManifest): Promise<BackupProof> {
  checkMemory()
  const startMs = host.clock.elapsedMs()
  const scratch = await mkdtemp(join(backupFolderOf(host), PROOF_FOLDER))
  try {
    const { counts, ledger, call } = await prove(host, folder, manifest, scratch)
    const proof: BackupProof = {
      verifiedAt: new Date(host.clock.nowMs()).toISOString(),
      seconds: Math.round((host.clock.elapsedMs() - startMs) / 100) / 10,
      manifest: sha256(await readFile(join(folder, SET_FILE.manifest))),
      tables: Object.keys(counts).length,
      rows: Object.values(counts).reduce((sum, count) => sum + count, 0),
      ...{ entries: ledger.entries, chains: ledger.chains, signed: ledger.signed, call },
    }
    await replaceFile(join(folder, SET_FILE.proof), `${JSON.stringify(proof, null, 2)}\n`)
    return proof
  } finally {
    await rm(scratch, { recursive: true, force: true })
    await host.restoreTool.administer(`DROP DATABASE IF EXISTS ${DATABASE.proof} WITH (FORCE)`).catch(() => undefined)
  }
}
