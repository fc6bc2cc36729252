/**
 * Base backups: compressed copies of the whole cluster in the folder of backups, `base-TIME`, from which any later moment can be gone to with the archived log. Each is started as a proof
 * right after it was taken.
 */

import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { timeWord } from '../../contract/backup-name.ts'
import { ROLE } from '../../contract/database-role.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { type RecoveryTarget, type ScratchOptions, withScratchCluster } from '../adapters/container/postgres-archive.ts'
import type { DumpTool } from '../adapters/container/postgres-container.ts'
import { postgresContainer } from '../adapters/container/postgres-container.ts'
import { signManifest } from '../backups/manifest.ts'
import { differencesOf, flushFolder, replaceFile, writeSetFile } from '../backups/set-file.ts'
import {
  BASE_FILE,
  type BaseBackup,
  baseProblem,
  expiredBases,
  expiredSegments,
  isAtOrAfter,
  isSegment,
  type JudgedBaseBackup,
  parseBaseBackup,
  segmentOf,
} from '../backups/wal.ts'
import { type BackupHost, backupFolderOf, DATABASE, pathOn, readSecrets, signerOf } from './backup-host.ts'
import { checkMemory } from './prove-set.ts'
import { countRows } from './row-comparison.ts'

const PREFIX = 'base-'

/** The container of the server in force, and of one that is only looked at. */
export const SCRATCH_CONTAINERS = { server: 'tappass-postgres', container: 'tappass-recovery' } as const

/** Where the scratch cluster of a base is. */
export function scratchOf(host: BackupHost, { systemId }: BaseBackup, target: RecoveryTarget): ScratchOptions {
  return {
    ...{ ...SCRATCH_CONTAINERS, target },
    configFolder: pathOn(host, HOST_PATH.postgresConfigFolder),
    dataFolder: pathOn(host, HOST_PATH.postgresFolder),
    walFolder: join(pathOn(host, HOST_PATH.walFolder), systemId),
  }
}

/** The names of the segments that a cluster has archived. */
export async function segmentsOf(host: BackupHost, systemId: string): Promise<readonly string[]> {
  const names = await readdir(join(pathOn(host, HOST_PATH.walFolder), systemId)).catch(() => [])
  return names.filter((name) => name.endsWith('.gz')).map((name) => name.slice(0, -'.gz'.length))
}

/** Returns the base backups, the oldest first, each with what is wrong with it. */
export async function listBaseBackups(host: BackupHost): Promise<readonly JudgedBaseBackup[]> {
  const folder = backupFolderOf(host)
  const names = (await readdir(folder)).filter((name) => name.startsWith(PREFIX)).toSorted()
  const bases = await Promise.all(
    names.map(async (name) => {
      const base = parseBaseBackup(await readFile(join(folder, name, BASE_FILE.note), 'utf8').catch(() => ''))
      if (base === undefined) return []
      return [{ ...base, problem: baseProblem(base, await segmentsOf(host, base.systemId)) }]
    }),
  )
  return bases.flat()
}

async function* gzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zip = createGzip({ level: 1 })
  const done = pipeline(source, zip)
  done.catch(() => undefined)
  yield* zip as AsyncIterable<Buffer>
  await done
}

/** A copy is compressed, so the size of all databases is an upper bound of it; started as a proof it takes as much where the cluster is. Throws before anything is written. */
export async function checkBaseSpace(host: BackupHost): Promise<void> {
  const [size = '0'] = await host.restoreTool.administer('SELECT sum(pg_database_size(oid)) FROM pg_database')
  for (const path of [backupFolderOf(host), pathOn(host, HOST_PATH.postgresFolder)]) {
    const { bavail, bsize } = await statfs(path)
    if (bavail * bsize >= 2 * Number(size)) continue
    throw new Error(
      `${path} has ${bavail * bsize} bytes free, and a base backup with its proof may need ${2 * Number(size)}`,
    )
  }
}

/** Starts the base beside the server in force, goes through the log up to the target, and runs the work with the tool that reads it. */
export async function withBaseBackup<Value>(
  host: BackupHost,
  base: BaseBackup,
  target: RecoveryTarget,
  work: (tool: DumpTool) => Promise<Value>,
): Promise<Value> {
  const tar = createReadStream(join(backupFolderOf(host), base.name, BASE_FILE.tar))
  return await withScratchCluster(scratchOf(host, base, target), tar, () =>
    work(postgresContainer(SCRATCH_CONTAINERS.container, DATABASE.live, ROLE.reader)),
  )
}

/** Starts a base as a proof, and counts its rows. */
export async function proveBaseBackup(host: BackupHost, base: BaseBackup): Promise<number> {
  checkMemory()
  return await withBaseBackup(host, base, { kind: 'whole' }, async (tool) => {
    const snapshot = await tool.openSnapshot()
    try {
      const counts = await countRows(snapshot.query)
      return Object.values(counts).reduce((sum, count) => sum + count, 0)
    } finally {
      await snapshot.close()
    }
  })
}

/** The note of one that was proven, and the signature that says so: only with it the base is copied to a store. */
async function writeNote(host: BackupHost, base: BaseBackup): Promise<void> {
  const folder = join(backupFolderOf(host), base.name)
  const text = `${JSON.stringify(base, null, 2)}\n`
  await replaceFile(join(folder, BASE_FILE.note), text)
  const signer = signerOf(await readSecrets(host))
  await replaceFile(join(folder, BASE_FILE.signature), signManifest(signer, base.name, text))
}

/** Takes a base, and proves it. On failure nothing of it remains. */
export async function takeBaseBackup(host: BackupHost): Promise<BaseBackup> {
  const { archiveTool, clock } = host
  await checkBaseSpace(host)
  const folder = backupFolderOf(host)
  const takenAt = new Date(clock.nowMs())
  const name = `${PREFIX}${timeWord(takenAt)}`
  const partial = join(folder, `.${name}.partial`)
  try {
    await mkdir(partial, { mode: 0o700 })
    const systemId = await archiveTool.systemId()
    const copy = archiveTool.copy()
    const { bytes, sha256 } = await writeSetFile(partial, BASE_FILE.tar, gzipped(copy.tar))
    const { timeline, first, last } = copy.range()
    const taken: BaseBackup = {
      ...{ format: 1, name, takenAt: takenAt.toISOString(), endedAt: new Date(clock.nowMs()).toISOString() },
      ...{ release: basename(host.release), postgres: await archiveTool.major(), systemId, bytes, sha256 },
      ...{ firstWal: segmentOf(timeline, first), lastWal: segmentOf(timeline, last, true) },
    }
    const problem = baseProblem(taken, await segmentsOf(host, systemId))
    if (problem !== undefined) throw new Error(`a base backup was taken, and ${problem}: it was deleted`)
    await replaceFile(join(partial, BASE_FILE.note), `${JSON.stringify(taken, null, 2)}\n`)
    await flushFolder(partial)
    await rename(partial, join(folder, name))
    await flushFolder(folder)
    const base = { ...taken, rows: await proveBaseBackup(host, taken) }
    await writeNote(host, base)
    await forgetGap(host, base)
    return base
  } catch (error) {
    for (const path of [partial, join(folder, name)]) await rm(path, { recursive: true, force: true })
    throw error
  }
}

/** What of a base is not as it was written, in words; undefined: it is. */
export async function baseDifference(
  host: BackupHost,
  { name, bytes, sha256 }: BaseBackup,
): Promise<string | undefined> {
  return (await differencesOf(join(backupFolderOf(host), name), [{ name: BASE_FILE.tar, bytes, sha256 }]))[0]
}

/** Which segment was let go, and why; undefined: none since the last base. */
export async function gapOf(host: BackupHost): Promise<Readonly<{ segment: string; text: string }> | undefined> {
  const text = await readFile(pathOn(host, HOST_PATH.walGap), 'utf8').catch(() => '')
  const segment = text.split(' ')[1] ?? ''
  return isSegment(segment) ? { segment, text: text.trim() } : undefined
}

async function forgetGap(host: BackupHost, { firstWal }: BaseBackup): Promise<void> {
  const gap = await gapOf(host)
  if (gap !== undefined && isAtOrAfter(firstWal, gap.segment)) await host.archiveTool.clearGap()
}

/** Deletes the bases that no moment of the last `days` needs, and the segments that no base needs. Returns the names of the bases. */
export async function pruneBases(host: BackupHost, days: number): Promise<readonly string[]> {
  const [folder, top] = [backupFolderOf(host), pathOn(host, HOST_PATH.walFolder)]
  const bases = await listBaseBackups(host)
  const expired = expiredBases(bases, host.clock.nowMs(), days)
  for (const name of expired) await rm(join(folder, name), { recursive: true, force: true })
  const kept = bases.filter(({ name }) => !expired.includes(name))
  const current = days > 0 ? await host.archiveTool.systemId() : ''
  const clusters = (await readdir(top).catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const systemId of clusters) {
    const own = kept.filter((base) => base.systemId === systemId)
    // Before its first base the cluster in force has nothing else.
    if (own.length === 0 && systemId === current) continue
    const path = join(top, systemId)
    if (own.length === 0) await rm(path, { recursive: true, force: true })
    else for (const name of expiredSegments(await readdir(path), own)) await rm(join(path, name), { force: true })
  }
  return expired
}
