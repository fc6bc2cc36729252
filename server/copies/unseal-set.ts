/** Opens what of a fetched set is sealed to the recovery key: what a bare machine needs to become the one that was lost. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unpackTar } from 'modern-tar'
import { recoveryKeyProblem } from '../../contract/recovery-key.ts'
import { type BackupManifest, parseManifest, SET_FILE } from '../backups/manifest.ts'
import { openPart } from './sealed-part.ts'

/** Files of a tar, by name. */
type Files = ReadonlyMap<string, Buffer>

/** `spire` is empty where the host had no identities. `settings` are the text of its specification. */
export type UnsealedSet = Readonly<{ manifest: BackupManifest; settings: string; secrets: Files; spire: Files }>

async function openTar(path: string, identity: string): Promise<Files> {
  const members = await unpackTar(new Uint8Array(await openPart(identity, await readFile(path))))
  return new Map(members.map(({ header, data }) => [header.name, Buffer.from(data ?? [])]))
}

/** Opens a set that was verified. Throws when it has no secrets, or they are sealed to another key. */
export async function unsealSet(folder: string, identity: string): Promise<UnsealedSet> {
  const manifest = parseManifest(await readFile(join(folder, SET_FILE.manifest), 'utf8'))
  const [secrets, spire] = [join(folder, SET_FILE.secrets), join(folder, SET_FILE.spire)]
  if (manifest === undefined || !existsSync(secrets)) throw new Error('the set has no secrets: it makes no server')
  const problem = recoveryKeyProblem(manifest.recipient, identity)
  if (problem !== undefined) throw new Error(`${SET_FILE.secrets} of the set is ${problem}`)
  return {
    manifest,
    settings: await readFile(join(folder, SET_FILE.settings), 'utf8'),
    secrets: await openTar(secrets, identity),
    spire: existsSync(spire) ? await openTar(spire, identity) : new Map(),
  }
}
