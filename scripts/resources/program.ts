/** A program that is one file: downloaded on the host or sent from the controller, verified, and not trusted any more once it was changed. */
import { type LocalFile, nameOf, openFile } from '../artifacts/artifact.ts'
import { scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, GetFact } from '../core/host.ts'
import { type Change, type Fetched, leavesNothing, type Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { contentFact, pathFact, targetFact } from '../facts/path.ts'
import { unsafePathFact } from '../facts/permission.ts'
import { programFingerprintFact, writeFingerprintCommand } from '../facts/program-fingerprint.ts'
import { assertReachable } from '../facts/reachability.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'
import { downloadCommand } from '../files/download-command.ts'
import { assertNotDirectory, linkCommand } from '../files/link-change.ts'
import { assertAccepted, type LockedDigests, readLockedDigests } from '../files/version-lock.ts'

/**
 * The program by platform (`linux-x64`), and beside each the file `.sha256` in which its vendor says what it has to be. `sha256` is a digest that
 * somebody has pinned: then that one counts.
 */
export type ProgramDownload = Readonly<{
  urls: Readonly<Record<string, string>>
  sha256: string | undefined
  proxy: (url: string) => string | undefined
}>

/**
 * Installed as `folder/VERSION/NAME`; `link` leads to the version. One that is there stays, whatever it came from. `says` is the line that
 * `NAME version` prints of the right version. `setting` names a file instead, `remedy` the settings that give one.
 */
export type ProgramOptions = Readonly<{
  folder: string
  name: string
  version: string
  says: string
  link: string
  source: LocalFile | ProgramDownload
  setting: string
  remedy: string
}>

const SEND_MINUTES = 60

/** Returns the path of the marker: the digest of the file, and its fingerprint after it was installed. */
export function programMarker({ folder, version }: Pick<ProgramOptions, 'folder' | 'version'>): string {
  return `${folder}/${version}/.tappass-program`
}

/** Where it comes from. `sha256`: what it has to be; undefined: what its vendor says at the first time. */
type Source = Readonly<{
  from: string
  sha256: string | undefined
  fetch: (into: string) => readonly [Command, ...Command[]]
  asks?: string
}>

/** `locked` is the digest that was accepted first. */
function sourceFor({ source, remedy }: ProgramOptions, platform: string, locked: string | undefined): Source {
  if ('file' in source) {
    const { sha256 } = source
    const send = (into: string) => within(SEND_MINUTES, scriptCommand('cat >"$1"', [into], openFile(source, sha256)))
    return { from: nameOf(source), sha256, fetch: (into) => [send(into)] }
  }
  const url = source.urls[platform]
  if (url === undefined) throw refusedFailure(`no program for ${platform}`, 'its vendor has none', remedy)
  const sha256 = source.sha256 ?? locked
  const get = (address: string, into: string) => downloadCommand(address, into, source.proxy(address))
  const fetch: Source['fetch'] = (into) =>
    sha256 === undefined ? [get(url, into), get(`${url}.sha256`, `${into}.sha256`)] : [get(url, into)]
  return { from: url, sha256, fetch, ...(source.proxy(url) === undefined ? { asks: url } : {}) }
}

/** Leaves the digest in a file beside it, of which nothing but a digest is taken. */
const CHECK_SCRIPT = `expected=$2
[ -n "$expected" ] || expected=$(head -c 4096 -- "$1.sha256" | tr -d '\\r' | sed -n '1s/^\\([0-9a-f]\\{64\\}\\)\\( .*\\)\\{0,1\\}$/\\1/p')
found=$(sha256sum <"$1"); found=\${found%% *}
[ "$found" = "$expected" ] || {
  echo "$3 is not what it has to be: its SHA-256 is $found, expected is \${expected:-in $3.sha256, which has no digest}" >&2
  echo "another source in host.yaml: $4" >&2; exit 1; }
printf %s "$found" >"$1.digest"; rm -f -- "$1.sha256"; chmod 0755 -- "$1"`

function installCommands(options: ProgramOptions, { from, sha256 = '', fetch }: Source): Change['commands'] {
  const { folder, name, version, says, remedy } = options
  const path = `${folder}/${version}`
  const staging = stagingFolder(path)
  const [fetched, staged] = [`${staging}/${name}`, `${stagedPath(staging)}/${name}`]
  const isRight = '"$1" version | grep -qxF "$2" || { echo "it is not the version $2" >&2; exit 1; }'
  return [
    prepareStaging(staging),
    ...fetch(fetched),
    scriptCommand(CHECK_SCRIPT, [fetched, sha256, from, remedy]),
    scriptCommand('mv -fT -- "$1" "$2"', [fetched, staged]),
    scriptCommand(isRight, [staged, says]),
    writeFingerprintCommand([staged], { file: `${fetched}.digest` }, `${stagedPath(staging)}/.tappass-program`),
    scriptCommand('chmod 0755 "$1"', [stagedPath(staging)]),
    swapInto(staging, path),
  ]
}

type Installed = Readonly<Record<'marker' | 'program' | 'unsafePath', string | undefined>>

function reasonOf(
  name: string,
  expected: string | undefined,
  { marker, program, unsafePath }: Installed,
): string | undefined {
  const [digest, fingerprint] = marker?.split('\n') ?? []
  if (program === undefined || digest === undefined) return 'it is absent'
  if (expected !== undefined && expected !== digest) return 'it is another file'
  if (fingerprint !== program) return `${name} was changed after it was installed`
  return unsafePath && `${unsafePath} is writable by others than its owner, or not readable by all`
}

/** By what it is verified, where that is not plain. */
function verified({ source }: ProgramOptions, { from, sha256 }: Source): string {
  if ('file' in source) return ''
  if (sha256 === undefined) return `; its digest is accepted as first seen, from ${from}.sha256`
  return source.sha256 === undefined ? '; its digest has to be the one that was accepted first' : ''
}

function lockedDigest(digests: LockedDigests, path: string): string | undefined {
  return digests[path]?.replace(/^sha256:/, '')
}

async function digestOf(getFact: GetFact, options: ProgramOptions): Promise<string | undefined> {
  const [digest] = (await getFact(contentFact(programMarker(options))))?.split('\n') ?? []
  return options.source.sha256 ?? digest
}

async function fetchedBy({ source, setting }: ProgramOptions, getFact: GetFact): Promise<readonly Fetched[]> {
  if ('file' in source) return []
  const url = source.urls[(await getFact(hostTraitsFact)).platform]
  if (url === undefined) return []
  const { sha256 } = source
  return [{ kind: 'file', setting, url, ...(sha256 === undefined ? { sha256Url: `${url}.sha256` } : { sha256 }) }]
}

/** The program. Throws a refusal for another one than was accepted first, and where the host has no way to its download. */
export function program(options: ProgramOptions): Resource {
  const { folder, name, version, link, source: given, remedy } = options
  const path = `${folder}/${version}`
  return {
    id: `program:${path}/${name}`,
    absent: leavesNothing('it goes with its folder'),
    accepts: async (getFact) => {
      const digest = await digestOf(getFact, options)
      return digest === undefined ? undefined : { name: path, digest: `sha256:${digest}` }
    },
    fetches: (getFact) => fetchedBy(options, getFact),
    plan: async (getFact) => {
      const staging = stagingFolder(path)
      const [digests, traits, marker, found, unsafePath, target, standing, left] = await Promise.all([
        readLockedDigests(getFact),
        getFact(hostTraitsFact),
        getFact(contentFact(programMarker(options))),
        getFact(programFingerprintFact(`${path}/${name}`)),
        getFact(unsafePathFact(path)),
        getFact(targetFact(link)),
        getFact(pathFact(link)),
        getFact(pathFact(staging)),
      ])
      if (given.sha256 !== undefined) assertAccepted(digests, { name: path, digest: `sha256:${given.sha256}` })
      assertNotDirectory(link, standing)
      const source = sourceFor(options, traits.platform, lockedDigest(digests, path))
      const changes: Change[] = []
      const reason = reasonOf(name, source.sha256, { marker, program: found, unsafePath })
      if (reason !== undefined) {
        if (source.asks !== undefined) await assertReachable(getFact, source.asks, remedy)
        const action = `install ${source.from} at ${path}/${name}`
        const commands = installCommands(options, source)
        changes.push({ action, reason: `${reason}${verified(options, source)}`, commands })
      } else if (left.kind !== 'absent') changes.push(removeStaging(staging))
      if (target !== path) {
        const linkReason = target === undefined ? 'it is absent' : `it points to ${target}`
        changes.push({ action: `link ${link} to ${path}`, reason: linkReason, commands: [linkCommand(link, path)] })
      }
      return changes
    },
  }
}
