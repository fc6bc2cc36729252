/**
 * When a stream is judged: at once, unless that would take more of the processor than its share. Then more gathers first,
 * so that held text is not scanned again and again.
 */
import type { Clock } from '../core/ports.ts'

/** A stream is judged a tenth of the time. */
const REST_PER_WORK = 9

/** What a judgement takes, and what each character of a held text adds to that, by measurement and rounded up. */
const JUDGEMENT_MS = 0.3
const CHARACTER_MS = 0.0007

/** So much new text is judged at once: what is scanned is then a few times the whole text. */
const NEW_CHARS_MIN = 256
const NEW_SHARE = 1 / 8

/** Characters that have not been judged, and all that a judgement would scan. */
export type Backlog = Readonly<{ newChars: number; heldChars: number }>

/** The pace of one stream. */
export class JudgementPace {
  readonly #clock: Pick<Clock, 'elapsedMs'>
  #restUntilMs = 0

  constructor(clock: Pick<Clock, 'elapsedMs'>) {
    this.#clock = clock
  }

  /** How long until the next judgement is due; 0 when it is. */
  waitMs({ newChars, heldChars }: Backlog): number {
    if (newChars >= Math.max(NEW_CHARS_MIN, heldChars * NEW_SHARE)) return 0
    return Math.max(0, this.#restUntilMs - this.#clock.elapsedMs())
  }

  /** A judgement over so much is done. */
  judged({ heldChars }: Backlog): void {
    this.#restUntilMs = this.#clock.elapsedMs() + (JUDGEMENT_MS + heldChars * CHARACTER_MS) * REST_PER_WORK
  }
}
