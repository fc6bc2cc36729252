/** A phrase of several words that tells of an attack. */
import type { Author } from './call.ts'
import type { Severity } from './finding.ts'

/** Whose texts a phrase counts in. `data` is what tools, documents and tool definitions say; there an order is an attack. */
export type Channel = 'anyone' | 'data'

/**
 * What to look for (flags g and i, bounded), where it counts, and keywords (ASCII, either case) of which one stands in
 * or beside each match. Without keywords it is looked for in texts beyond Latin.
 */
export type Phrase = Readonly<{
  kind: string
  severity: Severity
  confidence: number
  channel: Channel
  keywords: readonly string[]
  pattern: RegExp
}>

/** Whether a phrase counts in what this author wrote. */
export const isHeard = (channel: Channel, author: Author): boolean =>
  channel === 'anyone' || author === 'tool' || author === 'schema'
