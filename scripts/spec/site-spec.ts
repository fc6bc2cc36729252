/** The setting `site`: whether the documentation is served under /docs, and where MkDocs comes from. */
import * as v from 'valibot'

const site = v.strictObject({
  /** A gzipped tar of wheels on the controller, relative to the folder of the specification. */
  wheels: v.optional(v.pipe(v.string(), v.minLength(1))),
})

/** `none`: no site. */
export const siteSchema = v.optional(
  v.lazy((input) => (typeof input === 'string' ? v.literal('none') : site)),
  {},
)

/** The parsed setting. */
export type ParsedSite = 'none' | v.InferOutput<typeof site>

/** Returns what is wrong between settings that are right each for itself. */
export function siteContradictions({
  site: parsed,
  ingress,
}: Readonly<{ site: ParsedSite; ingress: unknown }>): readonly (readonly [keys: readonly string[], problem: string])[] {
  if (ingress !== 'none' || parsed === 'none' || parsed.wheels === undefined) return []
  return [[['site', 'wheels'], 'is not used with ingress: none, which serves no site'] as const]
}

/** Whether the specification wants a site: nobody serves it without an ingress. */
export function wantsSite({ site: parsed, ingress }: Readonly<{ site: ParsedSite; ingress: unknown }>): boolean {
  return parsed !== 'none' && ingress !== 'none'
}

/** Returns what of the written setting means something on the host: no files of the controller. */
export function siteOfHost(written: unknown): 'none' | undefined {
  return written === 'none' ? 'none' : undefined
}
