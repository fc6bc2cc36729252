/** What an entry says of the taint of its session. */
import type { Entry } from '../core/entry.ts'
import type { Taint } from '../core/verdict.ts'

/** All that taints the session, and what of it was found here; undefined where there is none, as in most entries. */
export function taintDetails({ all, found }: Taint): Entry['details'] {
  return { taint: nonEmpty(all), taint_found: nonEmpty(found) }
}

function nonEmpty(families: readonly string[]): readonly string[] | undefined {
  return families.length > 0 ? families : undefined
}
