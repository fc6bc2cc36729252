/** An unpacked archive of programs: downloaded on the host or sent from the controller, verified before it is unpacked. */

import { type LocalFile, nameOf, openFile } from '../artifacts/artifact.ts'
import { scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import { type Accepted, type Change, type Fetched, leavesNothing, type Resource } from '../core/resource.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { contentFact, pathFact, targetFact } from '../facts/path.ts'
import { unsafePathFact } from '../facts/permission.ts'
import { programFingerprintFact, writeFingerprintCommand } from '../facts/program-fingerprint.ts'
import { assertReachable } from '../facts/reachability.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'
import { downloadCommand } from '../files/download-command.ts'
import { assertNotDirectory, linkCommand } from '../files/link-change.ts'
import { assertAccepted, readLockedDigests } from '../files/version-lock.ts'

/** The download for each platform (`linux-x64`, `linux-arm64`), and the HTTP proxy on the way there. */
export type Downloads = Readonly<Record<string, Readonly<{ url: string; sha256: string; proxy?: string | undefined }>>>

/**
 * A gzipped tar (`form: 'program'`: the program itself) unpacked at `path` without its first `strip` path components (tar's --strip-components).
 * `remedy`: the settings that fetch it from elsewhere; `setting`: the one that names a file. `link` is switched to `path` afterwards. `executable`, relative to `path`, is the program that must not change after unpacking, or all of them.
 */
export type ArchiveOptions = Readonly<{
  source: Readonly<{ downloads: Downloads; remedy: string; setting: string }> | LocalFile
  path: string
  strip?: number
  form?: 'tar' | 'program'
  link?: string
  executable: string | readonly string[]
}>

/** `asks` is what the host itself must reach for it: not what the controller sends, and not what a proxy fetches. */
type Source = Readonly<{
  from: string
  sha256: string
  fetch: (into: string) => Command
  asks?: Readonly<{ url: string; remedy: string }>
}>

const SEND_MINUTES = 60

function sourceFor({ source, path }: ArchiveOptions, { platform }: HostTraits): Source {
  if ('file' in source) {
    const fetch = (into: string): Command =>
      within(SEND_MINUTES, scriptCommand('cat >"$1"', [into], openFile(source, source.sha256)))
    return { from: nameOf(source), sha256: source.sha256, fetch }
  }
  const download = source.downloads[platform]
  if (download === undefined) {
    throw refusedFailure(
      `no archive for ${path} on this platform`,
      `versions.yaml has none for ${platform}`,
      `use a host with one of: ${Object.keys(source.downloads).join(', ')}`,
    )
  }
  const { url, sha256, proxy } = download
  return {
    from: url,
    sha256,
    fetch: (into) => downloadCommand(url, into, proxy),
    ...(proxy === undefined ? { asks: { url, remedy: source.remedy } } : {}),
  }
}

/** Returns the path of the marker file: it holds the archive's checksum and the fingerprint of the program after unpacking. */
export function archiveMarker(path: string): string {
  return `${path}/.tappass-archive`
}

function programsIn(folder: string, executable: ArchiveOptions['executable']): readonly string[] {
  return [executable].flat().map((each) => `${folder}/${each}`)
}

function unpackCommands(
  { path, strip = 0, form = 'tar', executable }: ArchiveOptions,
  { fetch, sha256 }: Source,
): readonly [Command, ...Command[]] {
  const staging = stagingFolder(path)
  const download = `${staging}/download`
  const staged = stagedPath(staging)
  const unpack = {
    tar: 'tar -xzf "$1" -C "$2" --strip-components="$3" --no-same-owner; chmod -R go-w,a+rX -- "$2"',
    program: 'install -D -m 0755 -- "$1" "$2/$4"',
  }[form]
  return [
    prepareStaging(staging),
    fetch(download),
    scriptCommand('printf "%s  %s\\n" "$1" "$2" | sha256sum -c --quiet -', [sha256, download]),
    scriptCommand(unpack, [download, staged, `${strip}`, [executable].flat()[0] ?? '']),
    writeFingerprintCommand(programsIn(staged, executable), sha256, archiveMarker(staged)),
    swapInto(staging, path),
  ]
}

type UnpackedState = Readonly<{
  marker: string | undefined
  program: string | undefined
  unsafePath: string | undefined
}>

/** Returns why the archive has to be unpacked; undefined when nothing has changed since it was. */
function unpackReason({ executable }: ArchiveOptions, sha256: string, { marker, program, unsafePath }: UnpackedState) {
  if (program === undefined) return 'it is absent'
  const [unpacked, fingerprint] = marker?.split('\n') ?? []
  if (unpacked !== sha256) return 'it was unpacked from another archive'
  if (fingerprint === undefined) return `no fingerprint of ${[executable].flat().join(' and ')} is recorded`
  if (fingerprint !== program) return `${[executable].flat().join(' or ')} was changed after it was unpacked`
  return unsafePath && `${unsafePath} is writable by others than its owner, or not readable by all`
}

/** Nothing for a platform without an archive: the plan refuses it. */
function acceptedFrom({ source, path }: ArchiveOptions, { platform }: HostTraits): Accepted | undefined {
  const sha256 = 'file' in source ? source.sha256 : source.downloads[platform]?.sha256
  return sha256 === undefined ? undefined : { name: path, digest: `sha256:${sha256}` }
}

function fetchedBy({ source }: ArchiveOptions, { platform }: HostTraits): readonly Fetched[] {
  if ('file' in source) return []
  const download = source.downloads[platform]
  if (download === undefined) return []
  return [{ kind: 'file', setting: source.setting, url: download.url, sha256: download.sha256 }]
}

/** The unpacked archive: unpacked in a staging folder and renamed, so that `path` is complete or absent. A changed program is not trusted: the archive is unpacked again. */
export function archive(options: ArchiveOptions): Resource {
  return {
    id: `archive:${options.path}`,
    accepts: async (getFact) => acceptedFrom(options, await getFact(hostTraitsFact)),
    fetches: async (getFact) => fetchedBy(options, await getFact(hostTraitsFact)),
    absent: leavesNothing('it goes with its folder'),
    plan: async (getFact) => {
      const { path, link, executable } = options
      const staging = stagingFolder(path)
      const [digests, traits, marker, program, unsafePath, target, standing, left] = await Promise.all([
        readLockedDigests(getFact),
        getFact(hostTraitsFact),
        getFact(contentFact(archiveMarker(path))),
        getFact(programFingerprintFact(...programsIn(path, executable))),
        getFact(unsafePathFact(path)),
        getFact(targetFact(link ?? path)),
        getFact(pathFact(link ?? path)),
        getFact(pathFact(staging)),
      ])
      const source = sourceFor(options, traits)
      assertAccepted(digests, { name: path, digest: `sha256:${source.sha256}` })
      if (link !== undefined) assertNotDirectory(link, standing)
      const changes: Change[] = []
      const reason = unpackReason(options, source.sha256, { marker, program, unsafePath })
      if (reason !== undefined) {
        if (source.asks !== undefined) await assertReachable(getFact, source.asks.url, source.asks.remedy)
        changes.push({ action: `unpack ${source.from} at ${path}`, reason, commands: unpackCommands(options, source) })
      } else if (left.kind !== 'absent') changes.push(removeStaging(staging))
      if (link !== undefined && target !== path) {
        const linkReason = target === undefined ? 'it is absent' : `it points to ${target}`
        changes.push({ action: `link ${link} to ${path}`, reason: linkReason, commands: [linkCommand(link, path)] })
      }
      return changes
    },
  }
}
