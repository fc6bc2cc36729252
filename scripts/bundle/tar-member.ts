/** The tar that a bundle is: plain files, of which each byte but their content follows from name and size. So one byte that is not as it has to be is found. */

/** What headers and contents are filled up to. */
const BLOCK = 512

/** The bytes of a header. */
export const HEADER_BYTES = BLOCK

/** What stands behind the last file. */
export const TAR_END = Buffer.alloc(2 * BLOCK)

const [SIZE_START, SIZE_DIGITS, SUM_START, SUM_BYTES] = [124, 11, 148, 8]

/** More can't be written in a header of this kind. */
export const MEMBER_BYTES_MAX = 8 ** SIZE_DIGITS - 1

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

/** Returns the header of a file (ustar): of nobody, from no time, for everybody to read. */
export function tarHeader(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0)
  header.write(`${octal(0o644, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100)
  header.write(`${octal(bytes, SIZE_DIGITS)}\0${octal(0, SIZE_DIGITS)}\0`, SIZE_START)
  header.write(' '.repeat(SUM_BYTES), SUM_START)
  header.write('0', SUM_START + SUM_BYTES)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\0 `, SUM_START)
  return header
}

/** Returns the size that stands in a header; undefined where there is none. */
export function sizeInHeader(header: Buffer): number | undefined {
  const text = header.toString('latin1', SIZE_START, SIZE_START + SIZE_DIGITS)
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined
}

/** Returns what stands between the content of that size and the next header. */
export function paddingOf(bytes: number): Buffer {
  return Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK)
}
