/** What bytes are, by how they begin and what they are made of: text, media, compressed, encrypted, or nothing known. */
import { isUtf8 } from 'node:buffer'
import { withoutCutCharacter } from './decoded-bytes.ts'

/**
 * `media`: pictures, sound, films, fonts, PDF. `key`: public keys of SSH. `certificate`: what certificates and public keys begin
 * with, and other things, too. `unknown`: nothing that can be read.
 */
export type ByteContent = 'text' | 'media' | 'key' | 'certificate' | 'compressed' | 'encrypted' | 'unknown'

/**
 * What a long run of base64 or hexadecimal is. `known`: text, pictures, sound and the like. `cut`: where it begins is not in
 * this text. `none`: it encodes nothing. The others are what nobody can read.
 */
export type RunContent = 'known' | 'cut' | 'none' | 'base64' | 'hexadecimal' | 'compressed' | 'encrypted'

/** How files begin, as Latin-1; a dot is any byte. */
const BEGINNINGS: readonly (readonly [content: ByteContent, expression: RegExp])[] = [
  [
    'media',
    /^(?:\x89PNG|\xff\xd8\xff|GIF8|RIFF....(?:WEBP|WAVE|AVI )|BM....\0\0\0\0|II\*\0|MM\0\*|....ftyp|\0\0\x01\0)/s,
  ],
  [
    'media',
    /^(?:%PDF-|ID3|\xff[\xe0-\xff]|OggS|fLaC|#!AMR|\x1aE\xdf\xa3|FORM....AIF|wOF[F2]|OTTO|\0\x01\0\0|\0\0\0\x0c(?:JXL|jP ) |\xff\x0a|MThd)/s,
  ],
  ['key', /^\0\0\0.(?:ssh-|ecdsa-|sk-)/s],
  ['certificate', /^(?:\x30[\x81-\x83]|[\x98\x99\xc6][\0-\x04])/s],
  [
    'encrypted',
    /^(?:Salted__|age-encryption\.org|\x85[\x01-\x04].\x03|\xc1[\xc0-\xff]|\x8c\x0d\x04|\xc3[\x04-\x2e]\x04)/s,
  ],
  [
    'compressed',
    /^(?:\x1f[\x8b\x9d]|PK[\x03\x05]|BZh[1-9]|\xfd7zXZ|7z\xbc\xaf|\x28\xb5\x2f\xfd|\x04"M\x18|Rar!|x[\x01\x5e\x9c\xda])/s,
  ],
]

const BEGINNING_BYTES = 32

/** So much of the bytes of a text is no control character. */
const TEXT_SHARE = 0.9

/** Returns what bytes are. */
export function contentOf(bytes: Buffer): ByteContent {
  const start = bytes.toString('latin1', 0, BEGINNING_BYTES)
  const known = BEGINNINGS.find(([, expression]) => expression.test(start))?.[0]
  if (known !== undefined) return known
  return isText(bytes) || isWideText(bytes) ? 'text' : 'unknown'
}

function isText(bytes: Buffer): boolean {
  if (!isUtf8(withoutCutCharacter(bytes))) return false
  let controls = 0
  for (const byte of bytes) if ((byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) || byte === 127) controls++
  return controls <= (1 - TEXT_SHARE) * bytes.length
}

/** Text in UTF-16: every other byte is zero. */
function isWideText(bytes: Buffer): boolean {
  let [even, odd] = [0, 0]
  for (let index = 0; index < bytes.length; index += 2) {
    if (bytes[index] === 0) even++
    if (bytes[index + 1] === 0) odd++
  }
  return (
    Math.max(even, odd) >= (TEXT_SHARE / 2) * bytes.length && Math.min(even, odd) < even + odd - Math.min(even, odd)
  )
}
