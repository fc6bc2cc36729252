/** An unpacked archive of programs: downloaded on the host or sent from the controller, checked before it is unpacked. */
import { change, changeByScript, temporaryPath } from '../core/command.ts'
import { contentFact, pathFact, targetFact } from '../core/facts/path.ts'
import type { Command } from '../core/host.ts'
import { type HostTraits, hostTraitsFact } from '../core/host-trait.ts'
import { linkCommand } from '../core/link-change.ts'
import { type LocalFile, openFile } from '../core/local-file.ts'
import { refusal } from '../core/refusal.ts'
import type { Change, Resource } from '../core/resource.ts'

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
    const fetch = (into: string): Command =>
      changeByScript('mkdir -p -- "${1%/*}/"; cat >"$1"', [into], openFile(source.file))
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
  const limits = ['--connect-timeout', '20', '--max-time', '1800', '--create-dirs'] as const
  return { from: url, sha256, fetch: (into) => change(...curl, ...limits, '-o', into, '--', url) }
}

const unpack = `rm -rf -- "$2" "$3.tappass-old"; mkdir -p -- "$2"
tar -xzf "$1" -C "$2" --strip-components="$4" --no-same-owner
printf %s "$5" >"$2/.tappass-archive"; sync -f -- "$2"
[ ! -e "$3" ] || mv -T -- "$3" "$3.tappass-old"
mv -T -- "$2" "$3"; rm -rf -- "$1" "$3.tappass-old"`

/** Unpacked beside its place and renamed, so that `path` is whole or absent. */
export const archive = (options: ArchiveOptions): Resource => ({
  id: `archive:${options.path}`,
  plan: async (know) => {
    const { path, link, executable = '' } = options
    const [traits, unpacked, program, target] = await Promise.all([
      know(hostTraitsFact),
      know(contentFact(`${path}/.tappass-archive`)),
      know(pathFact(`${path}/${executable}`)),
      know(targetFact(link ?? path)),
    ])
    const source = sourceFor(options, traits)
    const isThere = unpacked === source.sha256 && program.kind !== 'absent'
    const changes: Change[] = []
    if (!isThere) {
      const download = `${temporaryPath(path)}.download`
      const because = program.kind === 'absent' ? 'it is absent' : 'another archive was unpacked there'
      const check = changeByScript('printf "%s  %s\\n" "$1" "$2" | sha256sum -c --quiet -', [source.sha256, download])
      const words = [download, temporaryPath(path), path, `${options.strip ?? 0}`, source.sha256]
      const commands = [source.fetch(download), check, changeByScript(unpack, words)] as const
      changes.push({ does: `unpack ${source.from} at ${path}`, because, commands })
    }
    if (link !== undefined && target !== path) {
      const because = target === undefined ? 'it is absent' : `it is to ${target}`
      changes.push({ does: `link ${link} to ${path}`, because, commands: [linkCommand(link, path)] })
    }
    return changes
  },
})
