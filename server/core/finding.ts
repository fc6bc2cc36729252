/** Something detected in a call. It points at text and never holds it, so it may be stored and shown. */

/** How bad it is if the finding is right. */
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical'

/**
 * `kind` is a dotted name (`pii.email`), the same in code, metrics, audit and Rego. `pointer` names the segment,
 * `span` is the half-open range [start, end) of UTF-16 code units in it, `confidence` is from 0 to 1. `expected` says
 * in a step's own words what the place has to hold ("has to be a number"); it is for the client and not recorded.
 */
export type Finding = Readonly<{
  kind: string
  severity: Severity
  pointer: string
  span: readonly [start: number, end: number]
  confidence: number
  expected?: string
}>
