/** What on a host a change is about: where traces of whoever made it necessary can be. */
import { UNIT } from '../../contract/unit.ts'
import { unitPath } from '../core/unit-command.ts'
import type { PlannedChange } from '../output/event.ts'

/** `paths` are looked at for their times, `words` are what a command about it would name, `packages` and `unit` are asked of their own logs. */
export type Subject = Readonly<{
  paths: readonly string[]
  words: readonly string[]
  packages: readonly string[]
  unit?: string
}>

/** In its folder of links stands whether a unit of ours is enabled. */
const WANTS = `/etc/systemd/system/${UNIT.target}.wants`
const ACCOUNT_FILES = ['/etc/passwd', '/etc/group'] as const

function pathsIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w.])\/[\w@.+/-]*[\w@+-]/g)].map(([path]) => path)
}

function unitSubject(unit: string, { action, reason }: Pick<PlannedChange, 'action' | 'reason'>): Subject {
  const words = [unit, unit.replace(/\.service$/, '')]
  const written = pathsIn(action)
  if (written.length > 0) return { paths: written, words: [...written, ...words], packages: [] }
  if (action.startsWith('enable ')) return { paths: [WANTS], words, packages: [] }
  if (action.startsWith('reload ')) return { paths: [unitPath(unit)], words: [unitPath(unit), ...words], packages: [] }
  // When a process began says nothing of who has replaced what it uses.
  return reason.includes('libraries that were replaced')
    ? { paths: [], words, packages: [] }
    : { paths: [], words, packages: [], unit }
}

/** Returns what a planned change is about. Pure. */
export function subjectOf({
  resource,
  action,
  reason,
}: Pick<PlannedChange, 'resource' | 'action' | 'reason'>): Subject {
  const kind = resource.slice(0, resource.indexOf(':'))
  const name = resource.slice(kind.length + 1)
  if (kind === 'unit' || kind === 'unit-file') return unitSubject(name, { action, reason })
  if (kind === 'apt-package')
    return { paths: [], words: [], packages: action.startsWith('install ') ? action.split(' ').slice(1) : [] }
  // Where a link or an archive comes from says nothing of who changed it.
  const own = action.startsWith('remove ') ? [] : pathsIn(name)
  const paths = own.length > 0 ? own : pathsIn(action)
  if (paths.length === 0 && /^(?:account|sudo-rights)$/.test(kind))
    return { paths: ACCOUNT_FILES, words: [name], packages: [] }
  return { paths, words: paths.length === 0 ? [name] : paths, packages: [] }
}
