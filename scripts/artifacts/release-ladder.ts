/** The upgrade ladder of a release (`upgrades.yaml`): stops that no upgrade jumps over. */
import * as v from 'valibot'
import { parse } from 'yaml'

const schema = v.strictObject({
  stops: v.array(
    v.strictObject({
      version: v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/)),
      reason: v.pipe(v.string(), v.minLength(1)),
    }),
  ),
})

/** A version that an upgrade from an older one has to go through, and why. */
export type Stop = v.InferOutput<typeof schema>['stops'][number]

/** Returns the stops of the text, oldest first. Throws for a text that is none: the release is damaged then. */
export function parseLadder(text: string): readonly Stop[] {
  return v.parse(schema, parse(text)).stops.toSorted((one, other) => compare(one.version, other.version))
}

/** The number of a version `1.2.3`, `1.2.3-0a1b2c3d4e5f` or `1.2.3-rc.1-…`. */
function numbersOf(version: string): readonly number[] {
  return (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)
}

function compare(one: string, other: string): number {
  const [a, b] = [numbersOf(one), numbersOf(other)]
  return [0, 1, 2].map((index) => (a[index] ?? 0) - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0
}

/** Whether a version is older than another one, by their numbers alone. */
export function isOlder(version: string, other: string): boolean {
  return compare(version, other) < 0
}

/** Returns the stops between two versions; none on the way down. */
export function stopsBetween(stops: readonly Stop[], from: string, to: string): readonly Stop[] {
  return stops.filter(({ version }) => isOlder(from, version) && isOlder(version, to))
}

/** Returns the versions from one to another, both included. */
export function pathOf(stops: readonly Stop[], from: string, to: string): readonly string[] {
  return [from, ...stopsBetween(stops, from, to).map(({ version }) => version), to]
}
