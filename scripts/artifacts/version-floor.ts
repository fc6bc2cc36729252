/** Floors of versions: what is pinned must not be older, unless one older version is accepted by word. */
import coerce from 'semver/functions/coerce.js'
import lt from 'semver/functions/lt.js'
import * as v from 'valibot'

const text = v.pipe(v.string(), v.minLength(1))

/** A version of three numbers. */
export const version = v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/))

/** A floor: the least version, what is wrong with older ones, and the only older one that is accepted, since when and why. */
export const floorSchema = v.strictObject({
  'at-least': version,
  because: text,
  except: v.optional(v.strictObject({ version, since: v.pipe(v.string(), v.isoDate()), because: text })),
})

/** What `floorSchema` gives. */
export type Floor = v.InferOutput<typeof floorSchema>

/** Returns the version in an image reference: 16.14.0 in `postgres:16.14-alpine@sha256:…`; 0.0.0 when it has none. */
export function imageVersion(reference: string): string {
  return coerce(/:([^@]+)/.exec(reference)?.[1])?.version ?? '0.0.0'
}

function problemsOf(name: string, floor: Floor, pinned: readonly string[]): readonly string[] {
  const { 'at-least': least, because, except } = floor
  const older = pinned.filter((each) => lt(each, least))
  const refused = older.filter((each) => each !== except?.version)
  const isExceptionUsed = except === undefined || older.includes(except.version)
  return [
    ...refused.map((each) => `${name} ${each} is below its floor ${least}: ${because}`),
    ...(isExceptionUsed
      ? []
      : [`${name} ${except.version} is accepted below its floor, but is not pinned: remove except`]),
  ]
}

/** Returns the breaches of floors by name; `pinned` has the versions by the same names. A floor of what is not pinned is no breach. */
export function floorProblems(
  floors: Readonly<Record<string, Floor | undefined>>,
  pinned: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  return Object.entries(floors).flatMap(([name, floor]) =>
    floor === undefined ? [] : problemsOf(name, floor, pinned[name] ?? []),
  )
}

type Lock = Readonly<{ packages: Readonly<Record<string, Readonly<{ version?: string }>>> }>

/** Returns the versions of each package of a `package-lock.json`, every copy of it. */
export function lockedVersions({ packages }: Lock): Readonly<Record<string, readonly string[]>> {
  const copies = Object.entries(packages).filter(([path]) => path !== '')
  const groups = Map.groupBy(copies, ([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  return Object.fromEntries([...groups].map(([name, rows]) => [name, rows.map(([, row]) => row.version ?? '0.0.0')]))
}
