/** An unpacked archive of programs: downloaded on the host or sent from the controller, checked before it is unpacked. */
import { change, changeByScript } from '../core/command.ts'
import { contentFact, pathFact, targetFact } from '../core/facts/path.ts'
import type { Command } from '../core/host.ts'
import { type HostTraits, hostTraitsFact } from '../core/host-trait.ts'
import { linkCommand, refuseDirectory } from '../core/link-change.ts'
import { type LocalFile, openFile } from '../core/local-file.ts'
import { refusal } from '../core/refusal.ts'
import type { Change, Resource } from '../core/resource.ts'
import { clearWorkshop, madeIn, openWorkshop, swapIn, workshop } from '../core/swap.ts'

/** What to download for each platform (`linux-x64`, `linux-arm64`). */
export type Downloads = Readonly<Record<string, Readonly<{ url: string; sha256: string }>>>

/**
 * A gzipped tar unpacked at `path` without its first `strip` path components (tar's --strip-components).
 * `link` is switched to `path` afterwards. `executable`, relative to `path`, must exist for the archive to count as there.
 */
export type ArchiveOptions = Readonly<{
  source: Readonly<{ downloads: Downloads }> | LocalFile
  path: string
  strip?: number
  link?: string
  executable?: string
}>

type Source = Readonly<{ from: string; sha256: string; fetch: (into: string) => Command }>

const sourceFor = ({ source, path }: ArchiveOptions, { platform }: HostTraits): Source => {
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

const unpacking = (
  { path, strip = 0 }: ArchiveOptions,
  { fetch, sha256 }: Source,
): readonly [Command, ...Command[]] => {
  const shop = workshop(path)
  const download = `${shop}/download`
  const unpack = 'tar -xzf "$1" -C "$2" --strip-components="$3" --no-same-owner; printf %s "$4" >"$2/.tappass-archive"'
  return [
    openWorkshop(shop),
    fetch(download),
    changeByScript('printf "%s  %s\\n" "$1" "$2" | sha256sum -c --quiet -', [sha256, download]),
    changeByScript(unpack, [download, madeIn(shop), `${strip}`, sha256]),
    swapIn(shop, path),
  ]
}

/** Unpacked beside its place and renamed, so that `path` is whole or absent. */
export const archive = (options: ArchiveOptions): Resource => ({
  id: `archive:${options.path}`,
  plan: async (know) => {
    const { path, link, executable = '' } = options
    const shop = workshop(path)
    const [traits, unpacked, program, target, standing, left] = await Promise.all([
      know(hostTraitsFact),
      know(contentFact(`${path}/.tappass-archive`)),
      know(pathFact(`${path}/${executable}`)),
      know(targetFact(link ?? path)),
      know(pathFact(link ?? path)),
      know(pathFact(shop)),
    ])
    const source = sourceFor(options, traits)
    if (link !== undefined) refuseDirectory(link, standing)
    const changes: Change[] = []
    if (unpacked !== source.sha256 || program.kind === 'absent') {
      const because = program.kind === 'absent' ? 'it is absent' : 'another archive was unpacked there'
      const commands = unpacking(options, source)
      changes.push({ does: `unpack ${source.from} at ${path}`, because, commands })
    } else if (left.kind !== 'absent') changes.push(clearWorkshop(shop))
    if (link !== undefined && target !== path) {
      const because = target === undefined ? 'it is absent' : `it is to ${target}`
      changes.push({ does: `link ${link} to ${path}`, because, commands: [linkCommand(link, path)] })
    }
    return changes
  },
})
