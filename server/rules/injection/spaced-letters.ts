/** Words whose letters stand apart (`i g n o r e`, `i-g-n-o-r-e`, a letter a line): put together again. */
import { EditableText, type EditedText } from '../../normalization/edited-text.ts'

/** Three letters and more with the same sign between; where a word ends, there is another one, or two. */
const SPACED = /(?<![A-Za-z0-9])[A-Za-z]([ .,_*|/~•·\n-])[A-Za-z](?:\1[A-Za-z])+(?![A-Za-z0-9])/g

/** Such words are long together: of four characters in a row in them, every second one is a letter. */
const STRIDE_CHARS = 4

const CONTEXT_CHARS = 300

function isLetterAt(text: string, index: number): boolean {
  const lower = text.charCodeAt(index) | 32
  return lower >= 97 && lower <= 122
}

function mayBeSpaced(text: string): boolean {
  for (let index = 0; index < text.length; index += STRIDE_CHARS) {
    const isLetter = isLetterAt(text, index)
    if (isLetterAt(text, index + 1) === isLetter || isLetterAt(text, index + 2) !== isLetter) continue
    if (isLetterAt(text, index + 3) !== isLetter) return true
  }
  return false
}

/** Returns the text with such words put together, without what is far from any; undefined when there are none. */
export function withoutSpacing(text: string): EditedText | undefined {
  if (!mayBeSpaced(text)) return undefined
  const edit = new EditableText(text, CONTEXT_CHARS)
  for (const { 0: spaced, index } of text.matchAll(SPACED)) {
    edit.replace(index, index + spaced.length, spaced.replace(/[^A-Za-z]/g, ''))
  }
  return edit.finish()
}
