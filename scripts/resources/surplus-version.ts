/** Versions of a program that nothing uses any more: left over when another one was installed. */
import { changeCommand } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'

/** `folder` has a folder for each version, and `current`, a link to one of them; `version` is the wanted one. */
export type SurplusVersionOptions = Readonly<{ folder: string; version: string }>

/** `uses` are the targets of the link and the programs of all processes. Both are empty where the wanted version is the only one. */
export type InstalledVersions = Readonly<{ versions: readonly string[]; current: string; uses: readonly string[] }>

/** Asks for processes only where there is something to remove: a run with nothing to do pays for one shell. */
const SCRIPT = `others=; for each in "$1"/*/; do each=\${each%/}
  if [ -d "$each" ] && ! [ -L "$each" ] && [ "$each" != "$1/$2" ]; then others=1; echo "version \${each##*/}"; fi
done
[ -n "$others" ] || exit 0
echo "current $(readlink -- "$1/current")"
readlink -- /proc/[0-9]*/exe 2>/dev/null | sort -u | while read -r program; do echo "use $program"; done; :`

/** The versions besides the wanted one, and what is used. */
export function installedVersionsFact({ folder, version }: SurplusVersionOptions): Fact<InstalledVersions> {
  return {
    query: { argv: ['sh', '-c', SCRIPT, 'sh', folder, version], effect: 'read' },
    parse: ({ stdout }) => {
      const values = (word: string) =>
        stdout.split('\n').flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))
      return { versions: values('version'), current: values('current')[0] ?? '', uses: values('use') }
    },
    planned: ({ versions, current }) => ({ versions, current }),
  }
}

/**
 * Removes every version but the wanted one that no process runs. It belongs behind everything that may still restart something. Before
 * the link leads to the wanted version a used one is planned too: by its turn it will not be used any more, and if it is, it stays.
 */
export function surplusVersion(options: SurplusVersionOptions): Resource {
  const { folder, version } = options
  return {
    id: `surplus-version:${folder}`,
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const { versions, current, uses } = await getFact(installedVersionsFact(options))
      const isSwitched = current === `${folder}/${version}`
      const isUsed = (path: string) => isSwitched && uses.some((program) => program.startsWith(`${path}/`))
      return versions
        .map((name) => `${folder}/${name}`)
        .filter((path) => !isUsed(path))
        .map((path) => ({
          action: `remove ${path}`,
          reason: `${version} has taken its place`,
          commands: [changeCommand('rm', '-rf', '--', path)],
        }))
    },
  }
}
