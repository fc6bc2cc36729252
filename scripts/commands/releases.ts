/** `tappass releases`: the releases on a host: which one is in force, who runs which, what was accepted when and by whom, and which one can be gone to. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { measureRelease } from '../artifacts/release-archive.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { readAuthorityKey } from '../control/license-file.ts'
import { usageFailure } from '../core/failure.ts'
import { readTargets } from '../inventory/target.ts'
import { renderTable } from '../output/text-table.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { writeReleaseFile } from '../upgrade/release-file.ts'
import { listReleases, RELEASE_HEADER, releaseRow } from '../upgrade/release-list.ts'

/** Says version and digest on stdout, as sha256sum does. */
async function pack(invocation: Invocation, file: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tappass-release-'))
  try {
    const release = await measureRelease(invocation.root)
    const key = textOption(invocation, 'key')
    const privateKey = key === undefined ? undefined : readAuthorityKey(resolve(invocation.workingFolder, key))
    const sha256 = await writeReleaseFile(release, resolve(invocation.workingFolder, file), folder, privateKey)
    const line = isGiven(invocation, 'json')
      ? JSON.stringify({ version: release.version, sha256, file })
      : `${sha256}  ${file}`
    invocation.stdout.write(`${line}\n`)
    invocation.stderr.write(
      `release ${release.version}; to install it: tappass upgrade --archive ${file} ${
        key === undefined ? `--digest ${sha256}` : '--archive-key PUBLIC_KEY'
      }\n`,
    )
    return EXIT_CODE.upToDate
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Prints a table on stdout; with `--json` the event `releases`. Returns 0, and 1 where TapPass is not installed. */
export async function run(invocation: Invocation): Promise<number> {
  const file = textOption(invocation, 'pack')
  if (file !== undefined) return await pack(invocation, file)
  if (isGiven(invocation, 'key'))
    throw usageFailure('"--key" is about "--pack"', 'tappass releases --pack FILE --key FILE')
  const targets = await readTargets(invocation)
  const work = async ({ run: asRoot, freshFacts, target, emit }: HostSession): Promise<HostResult> => {
    const releases = await listReleases(freshFacts(readOnly(asRoot)))
    emit({ event: 'releases', releases })
    if (!isGiven(invocation, 'json') && releases.length > 0) {
      const title = targets.length > 1 ? [target.name] : []
      invocation.stdout.write(`${[...title, renderTable([RELEASE_HEADER, ...releases.map(releaseRow)])].join('\n')}\n`)
    }
    return { outcome: releases.length === 0 ? 'not-installed' : 'shown', applied: 0, remaining: 0 }
  }
  return await forEachHost(invocation, connectors, targets, { work })
}
