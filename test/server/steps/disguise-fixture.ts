/** Ways to write a text so that a program or a reader undoes it easily, and a detector may not. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'

type Bytes = string | Buffer
type Disguise = readonly [name: string, write: (text: string) => string]

const bytesOf = (text: Bytes): Buffer => Buffer.from(text as string)
const base64 = (text: Bytes): string => bytesOf(text).toString('base64')
const hexadecimal = (text: Bytes): string => bytesOf(text).toString('hex')
const pieces = (text: string, chars: number): readonly string[] =>
  text.match(new RegExp(`[\\s\\S]{1,${chars}}`, 'g')) ?? []
const each = (text: Bytes, write: (code: number) => string, gap = ''): string =>
  [...bytesOf(text)].map((code) => write(code)).join(gap)
const hex = (code: number, digits = 2): string => code.toString(16).padStart(digits, '0')
const letters = (text: string, gap: string): string => [...text].join(gap)

/** The numbers of so many bits each. */
const digitsOf = (bytes: Buffer, bits: number): readonly number[] =>
  pieces(
    each(bytes, (code) => code.toString(2).padStart(8, '0')),
    bits,
  ).map((digit) => Number.parseInt(digit.padEnd(bits, '0'), 2))
const base32 = (text: Bytes, alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'): string => {
  const digits = digitsOf(bytesOf(text), 5).map((digit) => alphabet.charAt(digit))
  return digits.join('').padEnd(Math.ceil(digits.length / 8) * 8, '=')
}
const base85 = (text: Bytes, digit = (value: number) => String.fromCharCode(33 + value)): string => {
  const bytes = bytesOf(text)
  const missing = (4 - (bytes.length % 4)) % 4
  const padded = Buffer.concat([bytes, Buffer.alloc(missing)])
  const groups = Array.from({ length: padded.length / 4 }, (_, index) => {
    const value = padded.readUInt32BE(4 * index)
    return [4, 3, 2, 1, 0].map((power) => digit(Math.floor(value / 85 ** power) % 85)).join('')
  })
  return groups.join('').slice(0, groups.length * 5 - missing)
}
const RFC1924 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~'
const uuencoded = (text: Bytes): string => {
  const lines: string[] = []
  const bytes = bytesOf(text)
  for (let at = 0; at < bytes.length; at += 45) {
    const line = bytes.subarray(at, at + 45)
    const padded = Buffer.concat([line, Buffer.alloc((3 - (line.length % 3)) % 3)])
    const digits = digitsOf(padded, 6).map((digit) => (digit === 0 ? '`' : String.fromCharCode(32 + digit)))
    lines.push(String.fromCharCode(32 + line.length) + digits.join(''))
  }
  return ['begin 644 notes.txt', ...lines, '`', 'end'].join('\n')
}
const wide = (text: string, order: 'LE' | 'BE'): Buffer => {
  const bytes = Buffer.alloc(4 * text.length)
  for (const [index, character] of [...text].entries())
    bytes[`writeUInt32${order}`](character.codePointAt(0) as number, 4 * index)
  return bytes
}
const dump = (text: string, line: (at: number, bytes: Buffer) => string): string => {
  const bytes = bytesOf(text)
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, index) =>
    line(16 * index, bytes.subarray(16 * index, 16 * index + 16)),
  ).join('\n')
}
const shown = (bytes: Buffer): string => bytes.toString('latin1').replace(/[^ -~]/g, '.')
const moved = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const code = letter.charCodeAt(0)
    return String.fromCharCode((code & 31) <= 13 ? code + 13 : code - 13)
  })

/** Read wherever they stand, also in what streams. */
export const PACKED: readonly Disguise[] = [
  ['gzip in base64', (text) => base64(gzipSync(text))],
  ['gzip in base64url', (text) => gzipSync(text).toString('base64url')],
  ['gzip in base64, in lines', (text) => pieces(base64(gzipSync(text)), 64).join('\n')],
  ['gzip in base64, in lines of a mail', (text) => pieces(base64(gzipSync(text)), 76).join('\r\n')],
  ['gzip in a data: URI', (text) => `data:application/gzip;base64,${base64(gzipSync(text))}`],
  ['gzip behind a name', (text) => `payload_${base64(gzipSync(text))}`],
  ['gzip twice', (text) => base64(gzipSync(gzipSync(text)))],
  ['gzip of base64', (text) => base64(gzipSync(base64(text)))],
  ['gzip of UTF-16', (text) => base64(gzipSync(Buffer.from(text, 'utf16le')))],
  ['gzip in hexadecimal', (text) => hexadecimal(gzipSync(text))],
  ['gzip in base32', (text) => base32(gzipSync(text))],
  ['zlib', (text) => base64(deflateSync(text))],
  ['zlib with a small window', (text) => base64(deflateSync(text, { windowBits: 9 }))],
  ['zlib at its fastest', (text) => base64(deflateSync(text, { level: 1 }))],
  ['Zstandard', (text) => base64(zstdCompressSync(text))],
  ['UTF-32', (text) => base64(wide(text, 'LE'))],
  ['UTF-32 of the other order', (text) => base64(wide(text, 'BE'))],
  ['UTF-16 in hexadecimal', (text) => Buffer.from(text, 'utf16le').toString('hex')],
  ['base32 without padding', (text) => base32(text).replaceAll('=', '')],
  ['base32 of the other alphabet', (text) => base32(text, '0123456789ABCDEFGHIJKLMNOPQRSTUV')],
  ['hexadecimal in capitals', (text) => hexadecimal(text).toUpperCase()],
  ['one hexadecimal number', (text) => `0x${hexadecimal(text)}`],
  ['a literal of SQL', (text) => `SELECT X'${hexadecimal(text)}'`],
  ['escapes with a long number', (text) => each(text, (code) => `\\u{0000${hex(code, 4)}}`)],
  ['base32 of gzip of base64', (text) => base32(gzipSync(base64(text)))],
]

/** Read wherever a text does not go on: nothing says that they are packed. */
export const UNMARKED: readonly Disguise[] = [
  ['deflate', (text) => base64(deflateRawSync(text))],
  ['Brotli', (text) => base64(brotliCompressSync(text))],
  ['Brotli in lines', (text) => pieces(base64(brotliCompressSync(text)), 64).join('\n')],
  ['Brotli in base64url', (text) => brotliCompressSync(text).toString('base64url')],
  ['base64 of Brotli of base64', (text) => base64(brotliCompressSync(base64(text)))],
]

/** Read in requests. */
export const LISTED: readonly Disguise[] = [
  ['gzip as hexadecimal with blanks', (text) => each(gzipSync(text), hex, ' ')],
  ['gzip as escapes', (text) => each(gzipSync(text), (code) => `\\x${hex(code)}`)],
  ['gzip as a list of numbers', (text) => JSON.stringify([...gzipSync(text)])],
  ['gzip in base85', (text) => base85(gzipSync(text), (value) => RFC1924.charAt(value))],
  ['gzip in base85 of Adobe', (text) => `<~${base85(gzipSync(text))}~>`],
  ['gzip as ones and zeros', (text) => each(gzipSync(text), (code) => code.toString(2).padStart(8, '0'), ' ')],
  ['UTF-16 as hexadecimal with blanks', (text) => each(Buffer.from(text, 'utf16le'), hex, ' ')],
  ['hexadecimal in lines of 32', (text) => pieces(hexadecimal(text), 32).join('\n')],
  ['hexadecimal of an assembler', (text) => each(text, (code) => `${hex(code)}h`, ' ')],
  ['unsigned numbers of C', (text) => each(text, (code) => `0x${hex(code)}u`, ', ')],
  [
    'xxd',
    (text) =>
      dump(
        text,
        (at, bytes) => `${hex(at, 8)}: ${pieces(bytes.toString('hex'), 4).join(' ').padEnd(41)}${shown(bytes)}`,
      ),
  ],
  [
    'hexdump -C',
    (text) => dump(text, (at, bytes) => `${hex(at, 8)}  ${each(bytes, hex, ' ').padEnd(50)}|${shown(bytes)}|`),
  ],
  ['calls of CHAR', (text) => each(text, (code) => `CHAR(${code})`, '+')],
  ['calls of CHR', (text) => each(text, (code) => `CHR(${code})`, '||')],
  ['characters of PowerShell', (text) => each(text, (code) => `[char]${code}`, '+')],
  ['an array that became an object', (text) => JSON.stringify({ ...[...bytesOf(text)] })],
  ['decimal numbers with words between', (text) => each(text, (code) => String(code), ' then ')],
  ['decimal numbers of three digits', (text) => each(text, (code) => String(code).padStart(3, '0'))],
  ['octal numbers of Python', (text) => each(text, (code) => `0o${code.toString(8)}`, ', ')],
  ['ones and zeros, nothing between', (text) => each(text, (code) => code.toString(2).padStart(8, '0'))],
  ['ones and zeros of seven', (text) => each(text, (code) => code.toString(2).padStart(7, '0'), ' ')],
  ['ones and zeros of Python', (text) => each(text, (code) => `0b${code.toString(2).padStart(8, '0')}`, ', ')],
  ['ones and zeros, each in a line', (text) => each(text, (code) => code.toString(2).padStart(8, '0'), '\r\n')],
  ['escapes of CSS', (text) => each(text, (code) => `\\${hex(code, 6)}`)],
  ['escapes of SQL', (text) => `U&'${each(text, (code) => `\\${hex(code, 4)}`)}'`],
  ['escapes without their sign', (text) => each(text, (code) => `u${hex(code, 4)}`)],
  ['base32 in groups', (text) => pieces(base32(text), 8).join(' ')],
  ['base64 in strings of a program', (text) => pieces(base64(text), 30).join('" +\n  "')],
  ['base64 in a quoted mail', (text) => pieces(base64(text), 60).join('\n> ')],
  ['base64, each character apart', (text) => letters(base64(text), ' ')],
  ['uuencode', uuencoded],
  ['uuencode of gzip', (text) => uuencoded(gzipSync(text))],
  ['strings of JavaScript', (text) => pieces(text, 5).join('" + "')],
  ['strings of SQL', (text) => pieces(text, 5).join("' || '")],
  ['strings of a shell', (text) => pieces(text, 5).join('""')],
  ['comments of C', (text) => pieces(text, 5).join('/**/')],
  ['a list of characters', (text) => JSON.stringify([...text])],
  ['elements of HTML', (text) => [...text].map((each) => `<span>${each}</span>`).join('')],
  ['struck out in Markdown', (text) => [...text].map((each) => `~~${each}~~`).join('')],
  ['carets of a command line', (text) => letters(text, '^')],
  ['blanks between', (text) => letters(text, ' ')],
  ['a character a line', (text) => letters(text, '\n')],
  ['smileys between', (text) => letters(text, '🙂')],
  ['written backwards', (text) => `and so is all the rest of this ${text}`.split('').reverse().join('')],
  ['numbers of base64', (text) => each(base64(text), (code) => String(code), ' ')],
]

/** What has no digits, moved by thirteen letters. */
export const ROT13: Disguise = ['ROT13', (text) => moved(`and this is all the rest: ${text}`)]
