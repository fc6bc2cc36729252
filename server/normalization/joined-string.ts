/** Text that a program or a browser puts together: pieces of strings, and words with marks of a page inside them. */
import { EditableText, type EditedText } from './edited-text.ts'

const CONTEXT_CHARS = 300

/** A string that ends, and one of the same quotes that begins; in SQL, C and shells nothing needs to stand between. */
const SEAM = '(?:(["\'])\\s{0,9}(?:(?:[+.&~\\\\]|\\|\\|)\\s{0,9})?\\1|`\\s{0,9}\\+\\s{0,9}`)(?![\\s,;:)\\]}=]|$)'
/** Tags and comments that have no width, and marks of Markdown, between two letters of a word. */
const TAG = '<\\/?(?:b|i|u|s|em|strong|small|big|sub|sup|mark|font|span|wbr|code|tt)(?:\\s[^<>]{0,80})?\\/?>'
const MARK = '(?:\\*{2,8}|~~|__)'
/** What mails and comments put before a line, within base64. */
const LINE = '(?<=[A-Za-z0-9+/]{40})\\r?\\n[ \\t]{0,16}(?:[>#*|;+]|\\/\\/|--){1,4}[ \\t]{0,8}(?=[A-Za-z0-9+/]{4})'
const INSIDE = `(?<=[\\w-])(?:${TAG}|<!--[^<>]{0,80}-->|<!\\[CDATA\\[|\\]\\]><!\\[CDATA\\[|\\/\\*[^*]{0,40}\\*\\/){1,8}(?=[\\w-])|(?<=[A-Za-z0-9])${MARK}(?=[A-Za-z0-9])`
const JOINT = new RegExp(`(?<![\\s(,:=[{])${SEAM}|${INSIDE}|${LINE}`, 'g')

/** Returns the text without such seams; undefined when there are none. */
export function withoutJoints(text: string): EditedText | undefined {
  let edit: EditableText | undefined
  JOINT.lastIndex = 0
  for (let match = JOINT.exec(text); match !== null; match = JOINT.exec(text)) {
    edit ??= new EditableText(text, CONTEXT_CHARS)
    edit.replace(match.index, JOINT.lastIndex, '')
  }
  return edit?.finish()
}
