/** A program that is one file: sent from the controller, verified, and not trusted any more once it was changed. */
import { type LocalFile, openFile } from '../artifacts/artifact.ts'
import { scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { contentFact, pathFact, targetFact } from '../facts/path.ts'
import { unsafePathFact } from '../facts/permission.ts'
import { programFingerprintFact, writeFingerprintCommand } from '../facts/program-fingerprint.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'
import { assertNotDirectory, linkCommand } from '../files/link-change.ts'

/**
 * Installed as `folder/VERSION/NAME`; `link` leads to the version. Without `source` the one that is there stays. `says` is the line that
 * `NAME version` prints of the right version. `remedy` is the setting that gives one.
 */
export type ProgramOptions = Readonly<{
  folder: string
  name: string
  version: string
  says: string
  link: string
  source: LocalFile | undefined
  remedy: string
}>

const SEND_MINUTES = 60

/** Returns the path of the marker: the digest of the file, and its fingerprint after it was installed. */
export function programMarker({ folder, version }: Pick<ProgramOptions, 'folder' | 'version'>): string {
  return `${folder}/${version}/.tappass-program`
}

function installCommands({ folder, name, version, says }: ProgramOptions, source: LocalFile): Change['commands'] {
  const { sha256 } = source
  const path = `${folder}/${version}`
  const staging = stagingFolder(path)
  const staged = `${stagedPath(staging)}/${name}`
  const isRight = '"$1" version | grep -qxF "$2" || { echo "it is not the version $2" >&2; exit 1; }'
  return [
    prepareStaging(staging),
    within(SEND_MINUTES, scriptCommand('cat >"$1"', [staged], openFile(source, sha256))),
    scriptCommand('printf "%s  %s\\n" "$1" "$2" | sha256sum -c --quiet -; chmod 0755 "$2"', [sha256, staged]),
    scriptCommand(isRight, [staged, says]),
    writeFingerprintCommand([staged], sha256, `${stagedPath(staging)}/.tappass-program`),
    scriptCommand('chmod 0755 "$1"', [stagedPath(staging)]),
    swapInto(staging, path),
  ]
}

type Installed = Readonly<Record<'marker' | 'program' | 'unsafePath', string | undefined>>

function reasonOf({ name, source }: ProgramOptions, { marker, program, unsafePath }: Installed): string | undefined {
  const [digest, fingerprint] = marker?.split('\n') ?? []
  if (program === undefined || digest === undefined) return 'it is absent'
  if (source !== undefined && source.sha256 !== digest) return 'it is another file'
  if (fingerprint !== program) return `${name} was changed after it was installed`
  return unsafePath && `${unsafePath} is writable by others than its owner, or not readable by all`
}

/** The program. Throws a refusal where there is none, or a changed one, and no file to install. */
export function program(options: ProgramOptions): Resource {
  const { folder, name, version, link, source, remedy } = options
  const path = `${folder}/${version}`
  return {
    id: `program:${path}/${name}`,
    absent: leavesNothing('it goes with its folder'),
    plan: async (getFact) => {
      const staging = stagingFolder(path)
      const [marker, found, unsafePath, target, standing, left] = await Promise.all([
        getFact(contentFact(programMarker(options))),
        getFact(programFingerprintFact(`${path}/${name}`)),
        getFact(unsafePathFact(path)),
        getFact(targetFact(link)),
        getFact(pathFact(link)),
        getFact(pathFact(staging)),
      ])
      assertNotDirectory(link, standing)
      const changes: Change[] = []
      const reason = reasonOf(options, { marker, program: found, unsafePath })
      if (reason !== undefined) {
        if (source === undefined) throw refusedFailure(`no ${name} ${version} to install at ${path}`, reason, remedy)
        const commands = installCommands(options, source)
        changes.push({ action: `install ${source.file} at ${path}/${name}`, reason, commands })
      } else if (left.kind !== 'absent') changes.push(removeStaging(staging))
      if (target !== path) {
        const linkReason = target === undefined ? 'it is absent' : `it points to ${target}`
        changes.push({ action: `link ${link} to ${path}`, reason: linkReason, commands: [linkCommand(link, path)] })
      }
      return changes
    },
  }
}
