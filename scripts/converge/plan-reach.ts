/**
 * What a change may alter of that which other resources ask: those are decided during the run. Deciding is pure, so the changes of a resource are
 * others than planned only when an answer is; and during a run an answer may be another one only where a change of the run reaches it.
 */
import type { Change } from '../core/resource.ts'
import type { AskedFact, Plan } from './plan.ts'

/**
 * How far a change of a kind reaches: `paths` are only those that it names; `programs` also what programs say (units, images, accounts) and
 * what they keep below their own folders; `everything`: scripts of packages write where they like.
 */
type Reach = 'paths' | 'programs' | 'everything'

/** By the kind of the resource, the first word of its id; every other one has the reach of programs. */
const REACHES: Readonly<Record<string, Reach>> = {
  'apt-package': 'everything',
  file: 'paths',
  directory: 'paths',
  'absent-file': 'paths',
  'surplus-version': 'paths',
  link: 'paths',
}

/** Below these, programs that were started or ended leave things. */
const PROGRAM_FOLDERS = ['/run/', '/var/lib/', '/home/', '/root/', '/proc/', '/etc/systemd/system/'] as const

/** Programs that tell of the path that they are given, and of nothing else. */
const PATH_PROGRAMS: readonly string[] = ['stat', 'base64', 'find', 'readlink', 'ls']

/** What was changed by one resource: the paths that its commands name. */
export type AppliedChange = Readonly<{ resource: string; paths: readonly string[] }>

/** Returns what such changes touch. */
export function appliedChange(resource: string, changes: readonly Pick<Change, 'commands'>[]): AppliedChange {
  const named = resource.slice(resource.indexOf(':') + 1)
  const words = changes.flatMap(({ commands }) => commands.flatMap(({ argv }) => argv))
  return { resource, paths: [named, ...words].filter((word) => word.startsWith('/') && !word.includes('\n')) }
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

/** Which paths a question is about. `isOfPaths`: it tells of them, and of nothing else; `isDeep`: also of what is below them. */
export type AskedPaths = Readonly<{ paths: readonly string[]; isOfPaths: boolean; isDeep: boolean }>

/** Returns those of a question. */
export function askedPathsOf({ fact }: AskedFact): AskedPaths {
  const { subject, query } = fact
  if (subject !== undefined) return { paths: [subject], isOfPaths: subject.startsWith('/'), isDeep: false }
  const paths = query.argv.slice(1).filter((word) => word.startsWith('/') && !word.includes('\n'))
  const program = query.argv[0]
  const isOfPaths = paths.length > 0 && PATH_PROGRAMS.includes(program)
  return { paths, isOfPaths, isDeep: !isOfPaths || program === 'find' }
}

function isReached({ paths, isOfPaths, isDeep }: AskedPaths, touched: readonly string[], reach: Reach): boolean {
  const isTouched = (path: string) =>
    touched.some((other) => isAtOrBelow(path, other) || (isDeep && isAtOrBelow(other, path)))
  if (paths.some(isTouched)) return true
  if (reach === 'paths') return false
  return !isOfPaths || paths.some((path) => PROGRAM_FOLDERS.some((folder) => path.startsWith(folder)))
}

/** Whether a change of one resource may alter an answer that another one got. */
export function reaches({ resource, paths }: AppliedChange, asked: readonly AskedPaths[]): boolean {
  const reach = REACHES[resource.split(':')[0] ?? ''] ?? 'programs'
  return reach === 'everything' || asked.some((each) => isReached(each, paths, reach))
}

/** Returns the ids of the resources that a change of another one may reach, in order. */
export function decidedDuringRun({ planned, asked }: Plan): readonly string[] {
  const all = planned.map(({ resource, changes }) => appliedChange(resource.id, changes))
  return [...asked].flatMap(([id, facts]) => {
    const paths = facts.map(askedPathsOf)
    return all.some((each) => each.resource !== id && reaches(each, paths)) ? [id] : []
  })
}
