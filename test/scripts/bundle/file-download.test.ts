/** Downloads go on where they were cut off, and are compared with their digest in the end. Needs: curl. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { downloadFile } from '../../../scripts/bundle/file-download.ts'

const content = randomBytes(300_000)
const sha256 = createHash('sha256').update(content).digest('hex')
const folder = mkdtempSync(join(tmpdir(), 'tappass-download-'))
/** The first byte that each request asked for. */
const asked: number[] = []
let server: Server
let url = ''

before(async () => {
  server = createServer(({ headers, url: path }, response) => {
    const start = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)
    asked.push(start)
    const isWhole = path === '/whole' || headers.range === undefined
    if (!isWhole && start >= content.length) return response.writeHead(416).end()
    const part = isWhole ? content : content.subarray(start)
    response.writeHead(isWhole ? 200 : 206, {
      'content-length': part.length,
      ...(isWhole ? {} : { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
    })
    response.end(path === '/other' ? Buffer.alloc(part.length) : part)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Downloads in a cache of its own, in which a part was left. */
const download = async (name: string, path: string, part?: Buffer) => {
  const cache = join(folder, name)
  mkdirSync(join(cache, 'files'), { recursive: true })
  if (part !== undefined) writeFileSync(join(cache, 'files', `${sha256}.part`), part)
  asked.length = 0
  const downloader = {
    cache,
    report: () => undefined,
    interrupt: new AbortController().signal,
    environment: process.env,
  }
  const found = await downloadFile(downloader, `${url}${path}`, sha256).catch((error: Error) => error)
  return { found, left: readdirSync(join(cache, 'files')) }
}

const rows: readonly (readonly [name: string, path: string, part: Buffer | undefined, asks: readonly number[]])[] = [
  ['nothing is there', '/file', undefined, [0]],
  ['a part is there', '/file', content.subarray(0, 100_000), [100_000]],
  ['all of it is there', '/file', content, [content.length]],
  ['the part is of something else', '/file', Buffer.alloc(100_000), [100_000, 0]],
  ['the part is longer', '/file', Buffer.alloc(content.length + 1), [content.length + 1, 0]],
  ['a part is there, and the server sends all or nothing', '/whole', content.subarray(0, 100_000), [100_000, 0]],
]
for (const [name, path, part, asks] of rows) {
  test(`download: ${name}`, async () => {
    const { found, left } = await download(name.replaceAll(/\W/g, '-'), path, part)
    assert.ok(typeof found === 'string', String(found))
    assert.deepEqual(readFileSync(found), content)
    assert.deepEqual(left, [sha256])
    assert.deepEqual(asked, asks)
  })
}

test('download: other bytes than those of the digest are refused, and nothing of them is kept', async () => {
  const { found, left } = await download('other', '/other')
  assert.match(String(found), /not what it has to be/)
  assert.deepEqual(left, [])
})
