/** The releases on a host: which are there, which one is in force, which one each instance runs. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact } from '../core/host.ts'

/** A release in its folder: the newest migration that it has, and whether it can bring itself into force. */
export type InstalledRelease = Readonly<{ version: string; newestMigration: string; hasUpgrade: boolean }>

/** An instance, and the version that its process runs. */
export type RunningInstance = Readonly<{ instance: string; version: string }>

/** `current` is the version that the link leads to; undefined before the first one is in force. */
export type InstalledReleases = Readonly<{
  releases: readonly InstalledRelease[]
  current: string | undefined
  instances: readonly RunningInstance[]
}>

/** Returns the folder of a release. */
export function releaseFolder(version: string): string {
  return `${HOST_PATH.releasesFolder}/${version}`
}

/** `$1` is the folder of the releases, `$2` the link. A release without its manifest is one that is being unpacked. */
const SCRIPT = `cd "$1" 2>/dev/null || exit 0
for name in *; do
  [ -f "$name/.manifest" ] || continue
  own=no; if [ -f "$name/scripts/commands/upgrade.ts" ]; then own=yes; fi
  echo "release $name $own $(ls "$name/migrations" | tail -n 1)"
done
echo "current $(readlink -- "$2")"
systemctl list-units --plain --no-legend --no-pager 'tappass@*.service' 2>/dev/null | while read -r unit _; do
  pid=$(systemctl show --property=MainPID --value -- "$unit")
  echo "instance $unit $(readlink -- "/proc/$pid/cwd")"
done; :`

function versionOf(folder: string | undefined): string | undefined {
  return folder?.startsWith(`${HOST_PATH.releasesFolder}/`) ? folder.split('/').at(-1) : undefined
}

/** The releases as they are now. */
export const installedReleasesFact: Fact<InstalledReleases> = {
  query: { argv: ['sh', '-c', SCRIPT, 'sh', HOST_PATH.releasesFolder, HOST_PATH.currentRelease], effect: 'read' },
  parse: ({ stdout }) => {
    const rows = stdout.split('\n').map((line) => line.split(' '))
    const of = (kind: string) => rows.filter(([first]) => first === kind)
    return {
      releases: of('release').map(([, version = '', own, newestMigration = '']) => ({
        ...{ version, newestMigration },
        hasUpgrade: own === 'yes',
      })),
      current: versionOf(of('current')[0]?.[1]),
      instances: of('instance').flatMap(([, instance = '', folder]) => {
        const version = versionOf(folder)
        return version === undefined ? [] : [{ instance: instance.replace('.service', ''), version }]
      }),
    }
  },
}
