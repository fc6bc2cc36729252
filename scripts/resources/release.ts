/** A release on the host, of TapPass or of its pages: a folder of its own, verified by its manifest, and the link to the one in force. */
import { openArchive, type ReleaseArchive } from '../artifacts/artifact.ts'
import { changeCommand, scriptCommand, within } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { isIntactFact, MANIFEST_NAME } from '../facts/manifest.ts'
import { digestFact, pathFact, targetFact } from '../facts/path.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'
import { assertNotDirectory, linkCommand } from '../files/link-change.ts'

/** Installed in ROOT/releases/VERSION; ROOT/current is switched to it. `noun` is what it is called in plans. `check` is a program of its own, with which it says from its folder whether it is sound. */
export type ReleaseOptions = Readonly<{ root: string; pack: ReleaseArchive; noun?: string; check?: readonly string[] }>

/** Some ten megabytes over a slow line. */
const SEND_MINUTES = 60

/** With no rights, no network, and nothing but its own files: what it says must not depend on the host. */
function checkCommand(folder: string, check: readonly string[]): Command {
  const properties = ['DynamicUser=yes', 'PrivateNetwork=yes', 'ProtectHome=yes', `WorkingDirectory=${folder}`]
  const argv = [
    ...['systemd-run', '--quiet', '--pipe', '--wait', '--collect', '--service-type=exec'],
    ...properties.map((property) => `--property=${property}`),
    ...check,
  ]
  return { argv: argv as unknown as Command['argv'], effect: 'change' }
}

/** One that does not pass its own check is not installed, so nothing can run from it. */
function installCommands(
  { check }: ReleaseOptions,
  path: string,
  pack: ReleaseArchive,
): readonly [Command, ...Command[]] {
  const staging = stagingFolder(path)
  const staged = stagedPath(staging)
  return [
    prepareStaging(staging),
    within(SEND_MINUTES, scriptCommand('tar -xzf - -C "$1" --no-same-owner', [staged], openArchive(pack))),
    scriptCommand('cd "$1"; cat >"$2"; sha256sum -c --quiet "$2"', [staged, MANIFEST_NAME], pack.manifest),
    changeCommand('chmod', '-R', 'go-w,a+rX', '--', staged),
    ...(check === undefined ? [] : [changeCommand('chmod', 'a+x', '--', staging), checkCommand(staged, check)]),
    swapInto(staging, path),
  ]
}

/** This many releases besides the current one are kept for a rollback. */
const PREVIOUS_RELEASES_KEPT = 2

/** The versions on the host, newest first. */
function versionsFact(root: string): Fact<readonly string[]> {
  return {
    query: { argv: ['ls', '-1t', '--', `${root}/releases`], effect: 'read' },
    parse: ({ code, stdout }) => (code === 0 ? stdout.split('\n').filter((name) => name !== '') : []),
  }
}

/**
 * The versions that processes run from, wherever the link leads: an instance that was not restarted yet would fail at its next
 * restart without its folder.
 */
function runningVersionsFact(root: string): Fact<ReadonlySet<string>> {
  // One process for all of them: a server has some hundred.
  const script = 'readlink -- /proc/[0-9]*/cwd 2>/dev/null | sort -u; :'
  return {
    query: { argv: ['sh', '-c', script], effect: 'read' },
    parse: ({ stdout }) => new Set(stdout.split('\n').flatMap((folder) => versionAt(root, folder) ?? [])),
    planned: () => undefined,
  }
}

/** The version whose folder a path is, or is in. */
function versionAt(root: string, path: string): string | undefined {
  const releases = `${root}/releases/`
  return path.startsWith(releases) ? path.slice(releases.length).split('/')[0] : undefined
}

/** The folder of the release: with any file changed, added or missing, it is built in a staging folder and swapped. */
export function release(options: ReleaseOptions): Resource {
  const { root, pack, noun = 'release' } = options
  return {
    id: `release:${root}`,
    absent: leavesNothing('it goes with its folder'),
    plan: async (getFact) => {
      const path = `${root}/releases/${pack.version}`
      const current = `${root}/current`
      const staging = stagingFolder(path)
      const [isIntact, manifest, standing, left] = await Promise.all([
        getFact(isIntactFact(path)),
        getFact(digestFact(`${path}/${MANIFEST_NAME}`)),
        getFact(pathFact(current)),
        getFact(pathFact(staging)),
      ])
      // Told before anything is changed, not when all instances have been moved.
      assertNotDirectory(current, standing)
      if (isIntact && manifest === sha256Of(pack.manifest))
        return left.kind === 'absent' ? [] : [removeStaging(staging)]
      const reason = manifest === undefined ? 'it is absent' : 'its files were changed'
      return [{ action: `install ${noun} ${pack.version}`, reason, commands: installCommands(options, path, pack) }]
    },
  }
}

/** The link to the release that is in force, for people and tools: no unit that serves goes through it. Old releases are removed. */
export function currentRelease({ root, pack, noun = 'release' }: ReleaseOptions): Resource {
  return {
    id: `current-release:${root}`,
    absent: leavesNothing('it goes with its folder'),
    plan: async (getFact) => {
      const path = `${root}/releases/${pack.version}`
      const current = `${root}/current`
      const [target, versions, running] = await Promise.all([
        getFact(targetFact(current)),
        getFact(versionsFact(root)),
        getFact(runningVersionsFact(root)),
      ])
      const currentVersion = target === undefined ? undefined : versionAt(root, target)
      const removals = surplusVersions(versions, pack.version, currentVersion)
        .filter((old) => !running.has(old))
        .map((old) => removal(root, old, noun))
      return target === path ? removals : [linkChange(root, path, target, currentVersion), ...removals]
    },
  }
}

function linkChange(root: string, path: string, target: string | undefined, version: string | undefined): Change {
  const current = `${root}/current`
  const link = linkCommand(current, path)
  // What was in force until now is the first to go back to, however old it is: by its time it is the newest from now on.
  const touch = changeCommand('touch', '--no-create', '--', `${root}/releases/${version}`)
  return {
    action: `link ${current} to ${path}`,
    reason: target === undefined ? 'it is absent' : `it points to ${target}`,
    commands: version === undefined ? [link] : [touch, link],
  }
}

function removal(root: string, old: string, noun: string): Change {
  return {
    action: `remove ${noun} ${old}`,
    reason: `only the ${PREVIOUS_RELEASES_KEPT} newest previous ones are kept`,
    commands: [changeCommand('rm', '-rf', '--', `${root}/releases/${old}`)],
  }
}

/** The versions to be removed: all but the wanted one, the one in force before, and the newest. */
function surplusVersions(
  newestFirst: readonly string[],
  desired: string,
  currentVersion: string | undefined,
): readonly string[] {
  const others = newestFirst.filter((version) => version !== desired && version !== currentVersion)
  const isPrevious = currentVersion !== undefined && currentVersion !== desired
  return others.slice(PREVIOUS_RELEASES_KEPT - (isPrevious ? 1 : 0))
}
