/** JSON as it came over the wire: bytes become text without loss, or not at all. */
import { isUtf8 } from 'node:buffer'
import { scanSource } from './json-source.ts'
import { applyEdits, type TextEdit } from './text-edit.ts'

/** Returns what bytes say in UTF-8; undefined when they are not UTF-8. */
export function decodeUtf8({ buffer, byteOffset, byteLength }: Uint8Array): string | undefined {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

/** Returns the text of an object with a member of this name: in place of one that it has, or as its last. */
export function withMember(text: string, name: string, value: object): string {
  const source = JSON.stringify(value)
  const edits: TextEdit[] = []
  const isEmpty = /^\s*\{\s*\}\s*$/.test(text)
  // Only an object that may have the member is read.
  if (!isEmpty && text.includes(name)) {
    scanSource(text, {
      object: (members) => {
        for (const { pointer, valueStart, valueEnd } of members) {
          if (pointer === `/${name}`) edits.push({ start: valueStart, end: valueEnd, text: source })
        }
      },
    })
  }
  if (edits.length > 0) return applyEdits(text, edits)
  const end = text.lastIndexOf('}')
  return `${text.slice(0, end)}${isEmpty ? '' : ','}${JSON.stringify(name)}:${source}${text.slice(end)}`
}
