/** Redacts a JSON body in its text: what is not replaced stays as it is, to the byte. Pure; the verdict names the kinds. */
import type { Finding } from '../core/finding.ts'
import { KEY_SUFFIX } from '../protocol/json-pointer.ts'
import { decodeString, scanSource } from '../protocol/json-source.ts'
import { applyEdits, type TextEdit } from '../protocol/text-edit.ts'
import type { AliasOf } from './id-alias.ts'
import { mergeSpans, RedactionError, sourceEdits } from './redaction.ts'

/**
 * Given the text of a body, returns it with the spans of all findings of `kinds` replaced by marks. Text in a key is
 * replaced as well (the member keeps its place and value), an id as a whole by its alias; a number with a finding becomes a
 * string. Values whose pointer matches `dropped` become null. Throws RedactionError when a finding can't be redacted: it points at nothing, or its
 * span is empty.
 */
export function redactSource(
  text: string,
  findings: readonly Finding[],
  kinds: readonly string[],
  aliasOf: AliasOf,
  dropped?: RegExp,
): string {
  const byPointer = Map.groupBy(
    findings.filter(({ kind }) => kinds.includes(kind)),
    ({ pointer }) => pointer,
  )
  const seen = new Set<string>()
  const aliases: TextEdit[] = []
  const edits = sourceEdits(text, (pointer, start, end) => {
    const found = byPointer.get(pointer)
    if (found === undefined) return []
    seen.add(pointer)
    if (!pointer.endsWith(KEY_SUFFIX) && !/["\d-]/.test(text.charAt(start)))
      throw new RedactionError('no text at the pointer')
    const ranges = mergeSpans(found)
    const alias = text.charAt(start) === '"' ? aliasOf(pointer, decodeString(text.slice(start, end))) : undefined
    if (alias === undefined) return ranges
    aliases.push({ start, end, text: JSON.stringify(alias) })
    return []
  })
  if (seen.size < byPointer.size) throw new RedactionError('nothing at the pointer')
  return applyEdits(text, [...edits, ...aliases, ...(dropped ? nullEdits(text, dropped) : [])])
}

function nullEdits(text: string, dropped: RegExp): readonly TextEdit[] {
  const edits: TextEdit[] = []
  scanSource(text, {
    object: (members) => {
      for (const { pointer, valueStart, valueEnd } of members) {
        if (dropped.test(pointer)) edits.push({ start: valueStart, end: valueEnd, text: 'null' })
      }
    },
  })
  return edits
}
