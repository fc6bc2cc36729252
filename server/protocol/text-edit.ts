/** Replacements in a text: everything outside of them stays as it is, to the byte. */

/** What is to stand in place of the half-open range [start, end) of UTF-16 code units. */
export type TextEdit = Readonly<{ start: number; end: number; text: string }>

/** Returns the text with all edits made, in whatever order they come. One that starts inside another is dropped. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let edited = ''
  let from = 0
  for (const edit of edits.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    if (edit.start < from) continue
    edited += text.slice(from, edit.start) + edit.text
    from = edit.end
  }
  return edited + text.slice(from)
}
