/** Base32 (RFC 4648), in letters of either case. */
import { printableText } from './decoded-bytes.ts'

const BASE32 = /^(?:[A-Z2-7]+|[a-z2-7]+)=*$/

/** Returns the text of a run; undefined when it is none. */
export function base32Text(characters: string): string | undefined {
  if (!BASE32.test(characters) || !/[2-7]/.test(characters)) return undefined
  const bytes: number[] = []
  let [value, bits] = [0, 0]
  for (const character of characters.replace(/=+$/, '').toLowerCase()) {
    const code = character.charCodeAt(0)
    value = ((value << 5) | (code >= 97 ? code - 97 : code - 24)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return printableText(Buffer.from(bytes))
}
