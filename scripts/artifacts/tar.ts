/** POSIX tar (ustar with pax and GNU long names): reads small members from a stream, and writes archives of files. */
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { Failure } from '../core/failure.ts'

const BLOCK_BYTES = 512

function textAt(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString('utf8')
}

/** Octal digits, or base 256 when the first bit is set (GNU, for sizes of 8 GiB and more). */
function numberAt(header: Buffer, at: number, length: number): number {
  return ((header[at] ?? 0) & 0x80) === 0
    ? Number.parseInt(textAt(header, at, length).trim() || '0', 8)
    : header.subarray(at + 1, at + length).reduce((sum, byte) => sum * 256 + byte, 0)
}

function paxPath(body: Buffer): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(body.toString('utf8'))?.[1]
}

/** A sequential source of bytes: `read` returns the requested number (fewer at the end), `skip` skips them. */
export type ByteSource = Readonly<{
  read: (bytes: number) => Promise<Buffer>
  skip: (bytes: number) => Promise<void>
}>

/** Reads a stream; skipped bytes are read and dropped. */
export function createStreamSource(source: AsyncIterable<Uint8Array>): ByteSource {
  const chunks = source[Symbol.asyncIterator]()
  let rest = Buffer.alloc(0)
  const read = async (bytes: number): Promise<Buffer> => {
    const parts = [rest]
    for (let have = rest.length; have < bytes; ) {
      const { done, value } = await chunks.next()
      if (done) break
      parts.push(Buffer.from(value))
      have += value.length
    }
    const all = Buffer.concat(parts)
    rest = all.subarray(bytes)
    return all.subarray(0, bytes)
  }
  const skip = async (bytes: number): Promise<void> => {
    for (let left = bytes; left > 0; ) {
      const chunk = await read(Math.min(left, 1 << 20))
      if (chunk.length === 0) return
      left -= chunk.length
    }
  }
  return { read, skip }
}

/** Reads an open file; skipped bytes are not read. */
export function createFileSource(handle: FileHandle): ByteSource {
  let at = 0
  return {
    read: async (bytes) => {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, at)
      at += bytesRead
      return buffer.subarray(0, bytesRead)
    },
    skip: async (bytes) => {
      at += bytes
    },
  }
}

/** Returns the regular members that `isIncluded` accepts (name and size in bytes), each in memory. */
export async function readTar(
  { read, skip }: ByteSource,
  isIncluded: (name: string, bytes: number) => boolean,
): Promise<ReadonlyMap<string, Buffer>> {
  const members = new Map<string, Buffer>()
  for (let longName: string | undefined; ; ) {
    const header = await read(BLOCK_BYTES)
    if (header.length < BLOCK_BYTES || header[0] === 0) return members
    const bytes = numberAt(header, 124, 12)
    const padded = Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
    const type = String.fromCharCode(header[156] ?? 0)
    const prefix = textAt(header, 345, 155)
    const name = longName ?? (prefix === '' ? '' : `${prefix}/`) + textAt(header, 0, 100)
    longName = undefined
    if (type === 'x') longName = paxPath((await read(padded)).subarray(0, bytes))
    else if (type === 'L') longName = textAt(await read(padded), 0, bytes)
    else if ((type === '0' || type === '\0') && isIncluded(name, bytes)) {
      members.set(name.replace(/^\.\//, ''), (await read(padded)).subarray(0, bytes))
    } else await skip(padded)
  }
}

/** A file to pack: its name in the archive, its path, its size, and whether it is executable. */
export type TarMember = Readonly<{ name: string; path: string; bytes: number; isExecutable: boolean }>

function headerOf(name: string, type: '0' | 'x', bytes: number, isExecutable: boolean): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES)
  header.write(name.slice(0, 100), 0)
  header.write(isExecutable ? '0000755\0' : '0000644\0', 100)
  header.write('0000000\0'.repeat(2), 108)
  header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136) // no timestamps: the same files give the same bytes
  header.write('        ', 148)
  header.write(type, 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

/** A pax record contains its own length, so the length is found by trial. */
function paxRecord(name: string): Buffer {
  const tail = ` path=${name}\n`
  let length = Buffer.byteLength(tail) + 1
  while (String(length).length + Buffer.byteLength(tail) !== length) length++
  return Buffer.from(`${length}${tail}`)
}

/** Yields the bytes of an uncompressed archive. Throws a `Failure` when the size of a file changed meanwhile: the archive would be damaged. */
export async function* writeTar(members: readonly TarMember[]): AsyncIterable<Uint8Array> {
  for (const { name, path, bytes, isExecutable } of members) {
    if (Buffer.byteLength(name) > 100) {
      const record = paxRecord(name)
      yield Buffer.concat([headerOf('pax', 'x', record.length, false), record, padding(record.length)])
    }
    yield headerOf(name, '0', bytes, isExecutable)
    let sent = 0
    for await (const chunk of createReadStream(path)) {
      sent += chunk.length
      yield chunk
    }
    if (sent !== bytes)
      throw new Failure({ what: `${path} changed while it was being sent`, next: 'run the same command again' })
    yield padding(bytes)
  }
  yield Buffer.alloc(2 * BLOCK_BYTES)
}
