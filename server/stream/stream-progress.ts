/** The progress of a streamed response, as the ledger is told it: what was decided, and what has left. */
import { createHash } from 'node:crypto'
import type { Entry } from '../core/entry.ts'
import type { Finding } from '../core/finding.ts'
import type { Taint, Verdict } from '../core/verdict.ts'
import type { EntryDetails } from '../ledger/entry-builder.ts'
import { taintDetails } from '../ledger/taint-details.ts'
import { moreSensitive } from '../pipeline/call-metadata.ts'

/** Counts of one stream. */
export class StreamProgress {
  /** Whether the stream's first entry is in the ledger. */
  isOpen = false
  #classification: string
  #taint: Taint
  #judgements = 0
  #events = 0
  #bytes = 0
  readonly #digest
  readonly salt: string
  readonly #kinds = new Map<string, number>()
  readonly #redacted = new Set<string>()

  /** `classification` is the request's, and so is `taint`; `salt` is that of the commitment to what has left. */
  constructor(classification: string, taint: readonly string[], salt: string) {
    this.#classification = classification
    this.#taint = { all: taint, found: [] }
    this.salt = salt
    this.#digest = createHash('sha256').update(salt)
  }

  /** Counts a verdict on a batch. */
  decided({ classification, taint }: Verdict): void {
    this.#judgements += 1
    this.#taint = { all: taint.all, found: [...new Set([...this.#taint.found, ...taint.found])].sort() }
    this.#classification = moreSensitive(this.#classification, classification)
  }

  /** Counts events that leave now, and the findings in them. */
  sent(text: string, events: number, findings: readonly Finding[]): void {
    this.#events += events
    this.#bytes += Buffer.byteLength(text)
    this.#digest.update(text)
    for (const { kind } of findings) this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
  }

  /** Notes kinds that are redacted in what leaves next. */
  redacts(kinds: readonly string[]): void {
    for (const kind of kinds) this.#redacted.add(kind)
  }

  /** The kinds that were redacted so far. */
  get redacted(): readonly string[] {
    return [...this.#redacted]
  }

  /** What taints the session by now. */
  get taint(): readonly string[] {
    return this.#taint.all
  }

  /** Details of the entry that ends the stream. */
  counts(): EntryDetails {
    return {
      events: this.#events,
      judgements: this.#judgements,
      released_bytes: this.#bytes,
      released_commitment: this.#digest.copy().digest('hex'),
    }
  }

  /** Details of that entry when it holds no decision of its own. */
  summary(): Entry['details'] {
    const findings = Object.fromEntries(this.#kinds)
    return { ...this.counts(), findings, redacted: [...this.#redacted], ...taintDetails(this.#taint) }
  }

  /** The decision about the whole stream, when it was not refused. */
  outcome(): Pick<Entry, 'decision' | 'classification' | 'salt'> {
    return {
      decision: this.#redacted.size > 0 ? 'redact' : 'allow',
      classification: this.#classification,
      salt: this.salt,
    }
  }
}
