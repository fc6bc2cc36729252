/** Settings of the journal in a drop-in of ours, and a journald that has read them. */
import { changeCommand, scriptCommand } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { planFileAbsent } from '../files/removal.ts'

const UNIT = 'systemd-journald.service'
const FOLDER = '/etc/systemd/journald.conf.d'

/** `path` is the drop-in. A file that is as old as the process was read by it: it is written before the restart. */
const STALE_SCRIPT = `[ -f "$1" ] || exit 0
since=$(systemctl show --timestamp=unix -p ActiveEnterTimestamp --value ${UNIT} 2>/dev/null)
[ "$(stat -c %Y -- "$1")" -le "\${since#@}" ] 2>/dev/null || echo stale`

function isStaleFact(path: string): Fact<boolean> {
  return {
    query: { argv: ['sh', '-c', STALE_SCRIPT, 'sh', path], effect: 'read' },
    parse: ({ stdout }) => stdout.trim() === 'stale',
  }
}

/** What the journal may take of the disk. */
export type JournalLimitOptions = Readonly<{ megabytesMax: number }>

/** The limit. journald keeps its files open over a restart: no line is lost. */
export function journalLimit({ megabytesMax }: JournalLimitOptions): Resource {
  const path = `${FOLDER}/tappass.conf`
  const content = `# Laid down by TapPass' toolkit (housekeeping.journalMegabytesMax); edits are undone at its next run.\n[Journal]\nSystemMaxUse=${megabytesMax}M\n`
  return {
    id: `journal-limit:${path}`,
    absent: async (getFact) => {
      const removal = await planFileAbsent(getFact, path)
      const restart = changeCommand('systemctl', 'restart', UNIT)
      return removal.map((each): Change => ({ ...each, commands: [...each.commands, restart] }))
    },
    plan: async (getFact) => {
      const [file, isStale] = await Promise.all([
        planFile(getFact, { path, ...ROOT_FILE }, content),
        getFact(isStaleFact(path)),
      ])
      const restart = changeCommand('systemctl', 'restart', UNIT)
      const folder = scriptCommand('umask 022; mkdir -p -- "$1"', [FOLDER])
      if (file.length > 0)
        return file.map((each): Change => ({ ...each, commands: [folder, ...each.commands, restart] }))
      if (!isStale) return []
      return [{ action: `restart ${UNIT}`, reason: `${path} is newer than the process`, commands: [restart] }]
    },
  }
}
