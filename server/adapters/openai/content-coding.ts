/**
 * Content codings of responses (RFC 9110, section 8.4.1). None is asked for, and servers that compress everything send
 * one all the same.
 */
import { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib'
import { MalformedResponseError } from '../../core/malformed-response.ts'
import type { FlowControl } from './response-body.ts'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createAnyInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** Codings of one response; more would only multiply what a small response can grow to. */
const CODINGS_MAX = 2

/** Where decoded bytes go: `end` is called once, with what went wrong, if anything did. */
export type Sink = Readonly<{ push: (chunk: Uint8Array) => void; end: (cause?: Error) => void }>

/** Takes the bytes of a response as they come over the connection. */
export type Decoder = Sink & Readonly<{ control: FlowControl }>

/**
 * Given the value of `content-encoding`, returns its codings in the order in which they are undone: none when there is
 * nothing to undo, undefined when one of them is not known.
 */
export function codingsOf(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return NO_CODINGS
  const codings = header.toLowerCase().split(',').map((coding) => coding.trim()) // biome-ignore format: one chain
  const named = codings.filter((coding) => coding !== '' && coding !== 'identity').reverse()
  return named.length <= CODINGS_MAX && named.every((coding) => Object.hasOwn(DECODERS, coding)) ? named : undefined
}

const NO_CODINGS: readonly string[] = []

/** Creates what undoes the codings before a sink. The connection waits while it is full, and it while the sink is. */
export function createDecoder(
  codings: readonly string[],
  connection: FlowControl,
  sinkOf: (control: FlowControl) => Sink,
): Decoder {
  const decoders = codings.flatMap((coding) => DECODERS[coding]?.() ?? [])
  const [first, last] = [decoders[0], decoders.at(-1)]
  if (!first || !last) return { ...sinkOf(connection), control: connection }
  const control = {
    pause: () => void last.pause(),
    resume: () => void last.resume(),
    abort: (reason: Error) => {
      connection.abort(reason)
      for (const decoder of decoders) decoder.destroy()
    },
  }
  const sink = sinkOf(control)
  const fail = (cause: Error): void => {
    control.abort(cause)
    sink.end(cause)
  }
  for (const [index, decoder] of decoders.entries()) {
    decoder.on('error', (cause) => fail(new MalformedResponseError(cause)))
    const next = decoders[index + 1]
    if (next) decoder.pipe(next)
  }
  last.on('data', sink.push)
  last.on('end', () => sink.end())
  first.on('drain', connection.resume)
  return {
    control,
    push: (chunk) => {
      if (!first.write(chunk)) connection.pause()
    },
    end: (cause) => {
      if (cause) fail(cause)
      else first.end()
    },
  }
}

/** The low half of the first byte of a zlib header: the method "deflate". Some servers leave the header out. */
const ZLIB_METHOD = 8

function createAnyInflate(): Transform {
  let inner: Transform | undefined
  const start = (first = 0): Transform => {
    const inflate = (first & 0x0f) === ZLIB_METHOD ? createInflate() : createInflateRaw()
    inflate.on('data', (chunk) => outer.push(chunk))
    inflate.on('error', (cause) => outer.destroy(cause))
    return inflate
  }
  const outer = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      inner ??= start(chunk[0])
      inner.write(chunk, () => done())
    },
    flush: (done) => {
      if (!inner) return done()
      inner.once('end', () => done())
      inner.end()
    },
    destroy: (cause, done) => {
      inner?.destroy()
      done(cause)
    },
  })
  return outer
}
