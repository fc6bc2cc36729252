/** What a run leaves beside its entries: what it was given and did (by the controller), and what was on the host at its end (by the host). */
import * as v from 'valibot'
import { canonicalJson } from '../core/canonical.ts'

const rows = v.record(v.string(), v.string())
const change = v.object({ resource: v.string(), action: v.string() })

const beginSchema = v.object({ spec: rows, secrets: v.array(v.string()), planned: v.array(change) })
const endSchema = v.object({
  applied: v.array(change),
  files: v.array(
    v.object({
      path: v.string(),
      resource: v.string(),
      role: v.optional(v.string()),
      sha256: v.string(),
      /** Where each line comes from: `units/x.hbs:12`; missing for files that are made without a template. */
      lines: v.optional(v.array(v.string())),
    }),
  ),
})

/** The specification of a run, without secrets (only which were provided), and what it had planned. */
export type BeginRecord = v.InferOutput<typeof beginSchema>

/** What a run applied, and the files that it writes: `sha256` is that of the content which it wants there. */
export type EndRecord = v.InferOutput<typeof endSchema>

/** A file on the host at the end of a run. */
export type FileState = Readonly<{ path: string; sha256: string; mode: string; owner: string }>

/** What was on the host at the end of a run. Of secrets there is the digest of what is encrypted. */
export type HostState = Readonly<{
  files: readonly FileState[]
  secrets: readonly Readonly<{ path: string; sha256: string }>[]
  images: readonly string[]
  units: readonly Readonly<{ unit: string; state: string }>[]
}>

/** Returns the text of a record. */
export function recordText(record: BeginRecord | EndRecord): string {
  return `${canonicalJson(record)}\n`
}

function parseWith<S extends v.GenericSchema>(schema: S, text: string | undefined): v.InferOutput<S> | undefined {
  if (text === undefined) return undefined
  const result = v.safeParse(schema, JSON.parse(text))
  return result.success ? result.output : undefined
}

/** Returns the record of a begin; undefined for a text that is none. */
export function parseBegin(text: string | undefined): BeginRecord | undefined {
  return parseWith(beginSchema, text)
}

/** Returns the record of an end; undefined for a text that is none. */
export function parseEnd(text: string | undefined): EndRecord | undefined {
  return parseWith(endSchema, text)
}

function splitFirst(row: string): readonly [string, string] {
  const at = row.indexOf(' ')
  return [row.slice(0, at), row.slice(at + 1).trimStart()]
}

function unitOf(block: string): HostState['units'] {
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? ''
  const unit = value('Id')
  const words = [value('ActiveState'), value('SubState'), value('UnitFileState')].filter((word) => word !== '')
  return unit === '' ? [] : [{ unit, state: words.join(' ') }]
}

/** Returns the state that a host has written. */
export function parseState(text: string): HostState {
  const sections = new Map(
    text
      .split(/^== /m)
      .map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 1)]),
  )
  const rowsOf = (name: string) => (sections.get(name) ?? '').split('\n').filter((row) => row !== '')
  const digests = new Map(
    rowsOf('digests')
      .map(splitFirst)
      .map(([sum, path]) => [path, sum]),
  )
  return {
    files: rowsOf('files').map((row) => {
      const [mode, rest] = splitFirst(row)
      const [owner, path] = splitFirst(rest)
      return { path, sha256: digests.get(path) ?? '', mode: mode.padStart(4, '0'), owner }
    }),
    secrets: rowsOf('secrets')
      .map(splitFirst)
      .map(([sha256, path]) => ({ path, sha256 })),
    images: rowsOf('images'),
    units: (sections.get('units') ?? '').split('\n\n').flatMap(unitOf),
  }
}
