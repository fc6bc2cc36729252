/** Answers that were compressed though nobody asked for it are read as if they had not been. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { createOpenai } from '../../../../server/adapters/openai/openai.ts'
import type { Upstream, UpstreamResponse } from '../../../../server/core/ports.ts'
import { createEventReader } from '../../../../server/protocol/sse.ts'
import { readResponse } from '../../../../server/protocol/upstream-response.ts'
import { type ModelServer, startModelServer } from '../../model-server.ts'

let models: ModelServer
let openai: Upstream
before(async () => {
  models = await startModelServer()
  openai = createOpenai(`${models.url}/v1`, undefined)
})
after(async () => {
  await openai.close()
  await models.close()
})

const signal = new AbortController().signal
const ask = (): Promise<UpstreamResponse> => openai.forward('/chat/completions', '{}', 'call-1', signal)

const TEXT = JSON.stringify({ object: 'chat.completion', content: 'é'.repeat(50_000) })
const PLAIN = Buffer.from(TEXT)

const CODED: readonly (readonly [encoding: string, bytes: Uint8Array])[] = [
  ['identity', PLAIN],
  ['', PLAIN],
  ['gzip', gzipSync(PLAIN)],
  ['GZip', gzipSync(PLAIN)],
  ['x-gzip', gzipSync(PLAIN)],
  ['deflate', deflateSync(PLAIN)],
  ['deflate', deflateRawSync(PLAIN)],
  ['br', brotliCompressSync(PLAIN)],
  ['zstd', zstdCompressSync(PLAIN)],
  ['deflate, gzip', gzipSync(deflateSync(PLAIN))],
  ['identity, br', brotliCompressSync(PLAIN)],
]
const READERS: Readonly<Record<string, (answer: UpstreamResponse) => Promise<Uint8Array>>> = {
  whole: async ({ bytes }) => (await bytes(1e6)) ?? Buffer.from('too much'),
  pieces: async ({ body }) => {
    const pieces: Uint8Array[] = []
    for await (const piece of body) pieces.push(piece)
    return Buffer.concat(pieces)
  },
}
for (const [encoding, bytes] of CODED) {
  for (const [how, read] of Object.entries(READERS)) {
    test(`read ${how}: content-encoding ${encoding} (${bytes.byteLength} bytes)`, async () => {
      models.answer((response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding })
        for (let at = 0; at < bytes.byteLength; at += 1000) response.write(bytes.subarray(at, at + 1000))
        response.end()
      })
      const answer = await ask()
      assert.equal(answer.headers['content-encoding'], undefined)
      assert.equal(Buffer.from(await read(answer)).toString(), TEXT)
    })
  }
}

test('an event of a compressed stream is there before the next one', async () => {
  let sendMore = (): void => {}
  models.answer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
    const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
    gzip.pipe(response)
    gzip.write('data: {"one":1}\n\n')
    sendMore = () => gzip.end('data: [DONE]\n\n')
  })
  const all: string[] = []
  const reader = createEventReader()
  for await (const bytes of (await ask()).body) {
    if (all.length === 0) sendMore()
    all.push(...reader.read(bytes).events.map(({ data }) => data))
  }
  assert.deepEqual(all, ['{"one":1}', '[DONE]'])
})

const BROKEN: readonly (readonly [what: string, encoding: string, bytes: Uint8Array])[] = [
  ['half of it', 'gzip', gzipSync(PLAIN).subarray(0, 40)],
  ['none of it', 'br', PLAIN],
  ['another one', 'zstd', gzipSync(PLAIN)],
]
for (const [what, encoding, bytes] of BROKEN) {
  for (const [how, read] of Object.entries(READERS)) {
    test(`refused, read ${how}: ${encoding}, but ${what}`, async () => {
      models.answer((response) => void response.writeHead(200, { 'content-encoding': encoding }).end(bytes))
      await assert.rejects(read(await ask()))
    })
  }
}

test('a small answer that grows beyond the bound is not read on', async () => {
  models.answer(
    (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
  )
  assert.equal(await (await ask()).bytes(1_000_000), undefined)
})

for (const encoding of ['compress', 'gzip, aes128gcm', 'gzip, gzip, gzip', 'constructor']) {
  test(`a coding that is not known is named: ${encoding}`, async () => {
    const type = 'application/json'
    models.answer(
      (response) => void response.writeHead(200, { 'content-type': type, 'content-encoding': encoding }).end(PLAIN),
    )
    const content = await readResponse(await ask(), false)
    assert.deepEqual(content, { kind: 'malformed', reason: `the content-encoding ${encoding} is not known` })
  })
}
