/** The messages of errors in the log: one in which a detector finds a secret is replaced. */

/** `isPlain` is known when the detectors are loaded, which is after the log is there; until then no call has come. */
export type ErrorTexts = Readonly<{
  judgedBy: (isPlain: (text: string) => boolean) => void
  redact: (text: string) => string
}>

/** What stands in place of a message. */
export const REDACTED_MESSAGE = '[redacted: a detector found a secret in it]'

/** Creates them. */
export function createErrorTexts(): ErrorTexts {
  let isPlainText = (_text: string): boolean => true
  return {
    judgedBy: (isPlain) => {
      isPlainText = isPlain
    },
    redact: (text) => (isPlainText(text) ? text : REDACTED_MESSAGE),
  }
}
