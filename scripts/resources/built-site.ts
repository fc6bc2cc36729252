/** A site of static pages, built on the host by a process that can reach nothing, and the link to the build that is served. */
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand, within } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { isIntactFact, MANIFEST_NAME } from '../facts/manifest.ts'
import { pathFact, targetFact } from '../facts/path.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'
import { assertNotDirectory, linkCommand } from '../files/link-change.ts'

/** Built from the folder `pages` by the MkDocs of `environment` into FOLDER/builds/VERSION; FOLDER/current is switched to it. */
export type BuiltSiteOptions = Readonly<{
  folder: string
  version: string
  pages: string
  environment: string
  memoryMegabytes: number
}>

/** One build besides the current one is kept. */
const PREVIOUS_BUILDS_KEPT = 1

/** What a build may do: read, compute, write below its own /tmp, and print. */
const SANDBOX = [
  ...['DynamicUser=yes', 'PrivateNetwork=yes', 'IPAddressDeny=any', 'RestrictAddressFamilies=AF_UNIX'],
  ...['ProtectSystem=strict', 'ProtectHome=yes', 'ProtectProc=invisible', 'ProcSubset=pid', 'PrivateUsers=yes'],
  ...['PrivateTmp=yes', 'PrivateDevices=yes', 'DevicePolicy=closed', 'PrivateIPC=yes', 'KeyringMode=private'],
  ...['ProtectClock=yes', 'ProtectControlGroups=yes', 'ProtectHostname=yes', 'ProtectKernelLogs=yes'],
  ...['ProtectKernelModules=yes', 'ProtectKernelTunables=yes', 'RestrictNamespaces=yes', 'RestrictRealtime=yes'],
  ...['RestrictSUIDSGID=yes', 'LockPersonality=yes', 'MemoryDenyWriteExecute=yes', 'NoNewPrivileges=yes'],
  ...['CapabilityBoundingSet=', 'SystemCallArchitectures=native', 'SystemCallErrorNumber=EPERM'],
  ...['SystemCallFilter=@system-service', 'SystemCallFilter=~@privileged @resources', 'UMask=0022'],
  ...[
    `InaccessiblePaths=-${HOST_PATH.stateFolder} -${HOST_PATH.configFolder} -${HOST_PATH.runtimeFolder}`,
    'TasksMax=64',
    'LimitCORE=0',
  ],
] as const

const BUILD_MINUTES = 15

/** The pages come out as a tar on standard output, MkDocs' messages on the other stream. The build ends with its own limit, whoever listens. */
const BUILD_SCRIPT = `exec systemd-run --quiet --pipe --wait --collect --service-type=exec --description='TapPass documentation build' \\
  -E PYTHONDONTWRITEBYTECODE=1 -E NO_MKDOCS_2_WARNING=1 "$@" >"$staging/site.tar"`
// Not --quiet: with it MkDocs counts no warnings, and --strict says nothing.
const INSIDE_SCRIPT = `site=$(mktemp -d); chmod 0755 "$site"
"$1" -m mkdocs build --strict --config-file "$2/mkdocs.yml" --site-dir "$site" >&2
exec tar -C "$site" -cf - .`

function buildCommand({ pages, environment, memoryMegabytes }: BuiltSiteOptions, staging: string): Command {
  const limits = [`MemoryMax=${memoryMegabytes}M`, `RuntimeMaxSec=${(BUILD_MINUTES - 1) * 60}`]
  const properties = [...SANDBOX, ...limits].flatMap((property) => ['-p', property])
  const inside = ['sh', '-euc', INSIDE_SCRIPT, 'sh', `${environment}/bin/python`, pages]
  const script = `staging=$1; shift; ${BUILD_SCRIPT}`
  return within(BUILD_MINUTES, scriptCommand(script, [staging, ...properties, ...inside]))
}

/** Nothing but files and folders is taken out of the tar, and the manifest is of what was taken. */
const UNPACK_SCRIPT = `tar -xf "$1/site.tar" -C "$2" --no-same-owner --no-same-permissions
strange=$(find "$2" ! -type f ! -type d -print -quit); [ -z "$strange" ] || { echo "$strange is no file" >&2; exit 1; }
[ -f "$2/index.html" ] || { echo 'the build has no index.html' >&2; exit 1; }
chmod -R go-w,a+rX -- "$2"; cd "$2"
find . -type f -print0 | sort -z | xargs -0 sha256sum -- >"$1/manifest"; chmod 0644 "$1/manifest"; mv -- "$1/manifest" ./"$3"`

function buildCommands(options: BuiltSiteOptions, path: string): readonly [Command, ...Command[]] {
  const staging = stagingFolder(path)
  const staged = stagedPath(staging)
  return [
    prepareStaging(staging),
    buildCommand(options, staging),
    scriptCommand(UNPACK_SCRIPT, [staging, staged, MANIFEST_NAME]),
    swapInto(staging, path),
  ]
}

/** The builds on the host, newest first. */
function buildsFact(folder: string): Fact<readonly string[]> {
  return {
    query: { argv: ['ls', '-1t', '--', `${folder}/builds`], effect: 'read' },
    parse: ({ code, stdout }) => (code === 0 ? stdout.split('\n').filter((name) => name !== '') : []),
  }
}

function removals({ folder, version }: BuiltSiteOptions, builds: readonly string[], current: string | undefined) {
  const path = (name: string) => `${folder}/builds/${name}`
  const others = builds.filter((name) => name !== version && path(name) !== current)
  const isPrevious = current !== undefined && current !== path(version)
  return others.slice(Math.max(0, PREVIOUS_BUILDS_KEPT - (isPrevious ? 1 : 0))).map(
    (name): Change => ({
      action: `remove the site’s build ${name}`,
      reason: 'only the newest previous one is kept',
      commands: [scriptCommand('rm -rf -- "$1"', [path(name)])],
    }),
  )
}

/** The site. What was built before is served until a new build is complete: pages that MkDocs refuses change nothing. */
export function builtSite(options: BuiltSiteOptions): Resource {
  const { folder, version } = options
  const path = `${folder}/builds/${version}`
  const current = `${folder}/current`
  return {
    id: `built-site:${folder}`,
    absent: leavesNothing('it goes with its folder'),
    plan: async (getFact) => {
      const staging = stagingFolder(path)
      const [isIntact, target, standing, builds, left] = await Promise.all([
        getFact(isIntactFact(path)),
        getFact(targetFact(current)),
        getFact(pathFact(current)),
        getFact(buildsFact(folder)),
        getFact(pathFact(staging)),
      ])
      assertNotDirectory(current, standing)
      const changes: Change[] = []
      const isThere = builds.includes(version)
      if (!isIntact) {
        const reason = isThere ? 'its files were changed' : 'it is absent'
        changes.push({ action: `build the site ${version}`, reason, commands: buildCommands(options, path) })
      } else if (left.kind !== 'absent') changes.push(removeStaging(staging))
      if (target !== path) {
        const reason = target === undefined ? 'it is absent' : `it points to ${target}`
        changes.push({ action: `link ${current} to ${path}`, reason, commands: [linkCommand(current, path)] })
      }
      return [...changes, ...removals(options, builds, target)]
    },
  }
}
