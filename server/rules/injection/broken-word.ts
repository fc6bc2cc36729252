/** Words that a line break parts (`Ign\nore all prev\nious`): put together again. */
import { EditableText, type EditedText } from '../../normalization/edited-text.ts'

const BREAK = /(?<=[A-Za-z])\n(?=[a-z])/g

/** Longer texts are wrapped where they are, and not to hide words. */
const CHARS_MAX = 2_000
const CONTEXT_CHARS = 300

/** Returns the text with such words put together; undefined when there are none. */
export function withoutBreaks(text: string): EditedText | undefined {
  if (text.length > CHARS_MAX || !text.includes('\n')) return undefined
  const edit = new EditableText(text, CONTEXT_CHARS)
  for (const { index } of text.matchAll(BREAK)) edit.replace(index, index + 1, '')
  return edit.finish()
}
