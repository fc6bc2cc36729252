/** What is wrong with settings in YAML, told with its line, its key, and the nearest key that there is. */
import type { BaseIssue } from 'valibot'
import { nearest } from '../command-line/suggestion.ts'
import type { LineFinder } from './yaml-text.ts'

type Key = string | number

/** What of a schema is looked at: what its keys are, and what stands below them. */
type Shape = Readonly<{
  wrapped?: Shape
  getter?: (input: unknown) => Shape
  entries?: Readonly<Record<string, unknown>>
  item?: Shape
  value?: Shape
}>

function keysOf(issue: BaseIssue<unknown>): readonly Key[] {
  return (issue.path ?? []).map((item) => item.key as Key)
}

function opened(shape: Shape | undefined): Shape | undefined {
  const inner = shape?.wrapped ?? shape
  return inner?.getter?.({}) ?? inner
}

/** Returns the keys that the schema has below a path such as `gateway`. */
function keysAt(schema: object, parents: readonly Key[]): readonly string[] {
  const parent = parents.reduce<Shape | undefined>((shape, key) => {
    const { entries, item, value } = opened(shape) ?? {}
    return item ?? value ?? (entries?.[String(key)] as Shape | undefined)
  }, schema)
  return Object.keys(opened(parent)?.entries ?? {})
}

/** Returns `line 3: gateway.callsMax: `, without what is not known. */
export function placeOf(keys: readonly Key[], lineOf: LineFinder): string {
  const line = lineOf(keys)
  return `${line === undefined ? '' : `line ${line}: `}${keys.join('.')}${keys.length === 0 ? '' : ': '}`
}

function isUnknownKey({ type, expected }: BaseIssue<unknown>): boolean {
  return type === 'strict_object' && expected === 'never'
}

/** Whether something is wrong with what is written, not with what is left out: of a part of the settings nothing else can be said. */
export function isOfWritten(issue: BaseIssue<unknown>): boolean {
  return isUnknownKey(issue) || (issue.type !== 'strict_object' && issue.received !== 'undefined')
}

/** Explains an issue of valibot. `example` is what should be there where all of it is something else. */
export function explainIssue(schema: object, issue: BaseIssue<unknown>, lineOf: LineFinder, example: string): string {
  const keys = keysOf(issue)
  const where = placeOf(keys, lineOf)
  if (keys.length === 0) return `${where}expected ${example}`
  if (!isUnknownKey(issue)) {
    const isOwnWord = ['regex', 'check', 'custom', 'min_length'].includes(issue.type)
    return `${where}${isOwnWord ? issue.message : `expected ${issue.expected}, found ${issue.received}`}`
  }
  const suggestion = nearest(String(keys.at(-1)), keysAt(schema, keys.slice(0, -1)))
  return `${where}unknown key${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`
}
