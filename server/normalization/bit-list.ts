/** Text as ones and zeros, seven or eight a character, with or without something in between. */

import type { EncodedRun } from './decoded-bytes.ts'
import { textOf, type UnpackBudget } from './packed-bytes.ts'

/** Bits of eight characters and more. Each bit, and each gap, can be read in one way. */
const BITS = /(?<![0-9A-Za-z])(?:0b)?[01](?:[01]|[\s,;|_.:'"-]{1,4}(?:0b)?(?=[01])){55,}(?![0-9A-Za-z])/g

/** Returns the runs that decode to text, in order. */
export function bitRuns(text: string, budget: UnpackBudget): readonly EncodedRun[] {
  if (!text.includes('00') && !text.includes('11')) return []
  return [...text.matchAll(BITS)].flatMap(({ 0: found, index }) => {
    const decoded = bitText(found, budget)
    return decoded === undefined ? [] : [{ start: index, end: index + found.length, text: decoded }]
  })
}

function bitText(found: string, budget: UnpackBudget): string | undefined {
  const groups = found.replaceAll('0b', '').match(/[01]+/g) ?? []
  const bits = groups.join('')
  const isSeven = groups.length > 1 ? groups.every(({ length }) => length === 7) : bits.length % 8 !== 0
  return textOf(bytesOf(bits, isSeven ? 7 : 8), budget)
}

function bytesOf(bits: string, width: number): Buffer {
  const bytes = Buffer.alloc(Math.floor(bits.length / width))
  for (let at = 0; at < bytes.length * width; at++) {
    const byte = Math.floor(at / width)
    bytes[byte] = ((bytes[byte] as number) << 1) | (bits.charCodeAt(at) & 1)
  }
  return bytes
}
