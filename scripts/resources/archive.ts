/** An unpacked archive of programs: downloaded on the host or sent from the controller, checked before it is unpacked. */

import { type LocalFile, openFile } from '../artifacts/artifact.ts'
import { change, changeByScript } from '../core/command.ts'
import { refusal } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { contentFact, pathFact, targetFact } from '../facts/path.ts'
import { unguardedFact } from '../facts/permission.ts'
import { noteProgram, programFact } from '../facts/program.ts'
import { clearWorkshop, madeIn, openWorkshop, swapIn, workshop } from '../files/directory-swap.ts'
import { linkCommand, refuseDirectory } from '../files/link-change.ts'

/** What to download for each platform (`linux-x64`, `linux-arm64`). */
export type Downloads = Readonly<Record<string, Readonly<{ url: string; sha256: string }>>>

/**
 * A gzipped tar unpacked at `path` without its first `strip` path components (tar's --strip-components).
 * `link` is switched to `path` afterwards. `executable`, relative to `path`, is the program that must be as it was unpacked.
 */
export type ArchiveOptions = Readonly<{
  source: Readonly<{ downloads: Downloads }> | LocalFile
  path: string
  strip?: number
  link?: string
  executable: string
}>

type Source = Readonly<{ from: string; sha256: string; fetch: (into: string) => Command }>

function sourceFor({ source, path }: ArchiveOptions, { platform }: HostTraits): Source {
  if ('file' in source) {
    const fetch = (into: string): Command => changeByScript('cat >"$1"', [into], openFile(source.file))
    return { from: source.file, sha256: source.sha256, fetch }
  }
  const download = source.downloads[platform]
  if (download === undefined) {
    throw refusal(`${path} can't be had for this machine`, `nothing is published for ${platform}`, 'see versions.yaml')
  }
  const { url, sha256 } = download
  const curl = [
    'curl',
    '-fsSL',
    '--proto',
    url.startsWith('https:') ? '=https' : '=http,https',
    '--retry',
    '3',
  ] as const
  const limits = ['--connect-timeout', '20', '--max-time', '1800'] as const
  return { from: url, sha256, fetch: (into) => change(...curl, ...limits, '-o', into, '--', url) }
}

/** Holds the archive's checksum, and what its program was like when it was unpacked at `path`. */
export function archiveMarker(path: string): string {
  return `${path}/.tappass-archive`
}

function unpacking(
  { path, strip = 0, executable }: ArchiveOptions,
  { fetch, sha256 }: Source,
): readonly [Command, ...Command[]] {
  const shop = workshop(path)
  const download = `${shop}/download`
  const made = madeIn(shop)
  const unpack = 'tar -xzf "$1" -C "$2" --strip-components="$3" --no-same-owner; chmod -R go-w,a+rX -- "$2"'
  return [
    openWorkshop(shop),
    fetch(download),
    changeByScript('printf "%s  %s\\n" "$1" "$2" | sha256sum -c --quiet -', [sha256, download]),
    changeByScript(unpack, [download, made, `${strip}`]),
    noteProgram(`${made}/${executable}`, sha256, archiveMarker(made)),
    swapIn(shop, path),
  ]
}

type Seen = Readonly<{ marker: string | undefined; program: string | undefined; unguarded: string | undefined }>

/** Why it is to be unpacked; undefined where it is as it was unpacked. */
function fault({ executable }: ArchiveOptions, sha256: string, { marker, program, unguarded }: Seen) {
  if (program === undefined) return 'it is absent'
  const [unpacked, noted] = marker?.split('\n') ?? []
  if (unpacked !== sha256) return 'another archive was unpacked there'
  if (noted === undefined) return `what ${executable} was like was not noted`
  if (noted !== program) return `${executable} was altered since it was unpacked`
  return unguarded && `others than its owner may write ${unguarded}, or not all may read it`
}

/** Unpacked beside its place and renamed, so that `path` is whole or absent. A program that was altered since is not trusted: it is unpacked anew. */
export function archive(options: ArchiveOptions): Resource {
  return {
    id: `archive:${options.path}`,
    plan: async (know) => {
      const { path, link, executable } = options
      const shop = workshop(path)
      const [traits, marker, program, unguarded, target, standing, left] = await Promise.all([
        know(hostTraitsFact),
        know(contentFact(archiveMarker(path))),
        know(programFact(`${path}/${executable}`)),
        know(unguardedFact(path)),
        know(targetFact(link ?? path)),
        know(pathFact(link ?? path)),
        know(pathFact(shop)),
      ])
      const source = sourceFor(options, traits)
      if (link !== undefined) refuseDirectory(link, standing)
      const changes: Change[] = []
      const because = fault(options, source.sha256, { marker, program, unguarded })
      if (because !== undefined) {
        changes.push({ does: `unpack ${source.from} at ${path}`, because, commands: unpacking(options, source) })
      } else if (left.kind !== 'absent') changes.push(clearWorkshop(shop))
      if (link !== undefined && target !== path) {
        const reason = target === undefined ? 'it is absent' : `it is to ${target}`
        changes.push({ does: `link ${link} to ${path}`, because: reason, commands: [linkCommand(link, path)] })
      }
      return changes
    },
  }
}
