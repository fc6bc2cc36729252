/** Something noticed in a call. It points at text and never holds it, so it may be stored and shown. */

/** How bad it would be if it is what it looks like. */
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical'

/**
 * `kind` is a dotted address (`pii.email`), the same string in code, metrics, audit and Rego.
 * `pointer` names the segment, `span` is the half-open range [start, end) of UTF-16 code units in it,
 * `confidence` runs from 0 to 1.
 */
export type Finding = Readonly<{
  kind: string
  severity: Severity
  pointer: string
  span: readonly [start: number, end: number]
  confidence: number
}>
