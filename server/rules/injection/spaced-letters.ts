/** Words whose letters stand apart (`i g n o r e`, `i-g-n-o-r-e`, a letter a line): put together again. */
import { mayBeApart } from '../../normalization/apart-letters.ts'
import { EditableText, type EditedText } from '../../normalization/edited-text.ts'
import { replaceEach } from '../../normalization/text-builder.ts'

/** Three letters and more with the same signs between; where a word ends, there are others, or more. */
const SPACED = /(?<![A-Za-z0-9])[A-Za-z]([^A-Za-z0-9]{1,4})[A-Za-z](?:\1[A-Za-z])+(?![A-Za-z0-9])/g

const CONTEXT_CHARS = 300

/** Returns the text with such words put together, without what is far from any; undefined when there are none. */
export function withoutSpacing(text: string): EditedText | undefined {
  if (!mayBeApart(text)) return undefined
  const edit = new EditableText(text, CONTEXT_CHARS)
  for (const { 0: spaced, index } of text.matchAll(SPACED)) {
    edit.replace(index, index + spaced.length, replaceEach(spaced, /[^A-Za-z]/g, ''))
  }
  return edit.finish()
}
