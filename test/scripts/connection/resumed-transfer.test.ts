/** Files on their way to a host, here: cut anywhere, damaged, held by a writer that nobody listens to; how many bytes are sent the second time, and what the command reads. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openArchive } from '../../../scripts/artifacts/artifact.ts'
import { forgetful } from '../../../scripts/artifacts/measurement-store.ts'
import { measurePack } from '../../../scripts/artifacts/release-archive.ts'
import { resuming } from '../../../scripts/connection/resumed-transfer.ts'
import { scriptCommand } from '../../../scripts/core/command.ts'
import type { Command, Runner } from '../../../scripts/core/host.ts'
import { hereGuardedIn, scratch } from '../known-host.ts'

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
const SHA256 = createHash('sha256').update(CONTENT).digest('hex')

/** Sends the content, and counts. The connection is lost when so many bytes of it were sent. */
const sender = (context: TestContext) => {
  const folder = scratch(context)
  const run = resuming(hereGuardedIn(folder))
  const part = join(folder, 'sent', `${SHA256}.part`)
  const got = join(folder, 'got')
  const send = async (cutAt = Number.POSITIVE_INFINITY, content = CONTENT, script = 'cat >"$1"') => {
    let bytes = 0
    const openAt = async function* (offset: number) {
      for (let start = offset; start < content.length; start += 10_000) {
        const chunk = content.subarray(start, Math.min(start + 10_000, content.length))
        if (bytes + chunk.length > cutAt) {
          // What is under way when it happens would be lost, too.
          while (!existsSync(part) || statSync(part).size < cutAt) await pause(5)
          throw new Error('the connection was lost')
        }
        bytes += chunk.length
        yield chunk
      }
    }
    const resumable = { sha256: SHA256, bytes: () => content.length, openAt }
    const stdin = { open: () => openAt(0), identity: SHA256, resumable }
    const command: Command = { argv: ['sh', '-c', script, 'sh', got], effect: 'change', stdin }
    const output = await run(command).catch((error: Error) => error.message)
    return { bytes, output }
  }
  const write = (content: Uint8Array) => {
    mkdirSync(join(folder, 'sent'), { recursive: true })
    writeFileSync(part, content)
  }
  return { folder, part, got, send, write }
}

for (const cutAt of [0, 10_000, 150_000, 290_000])
  test(`a transfer that is cut after ${cutAt} bytes goes on behind them`, async (context) => {
    const { folder, part, got, send } = sender(context)
    const first = await send(cutAt)
    assert.deepEqual(first, { bytes: cutAt, output: 'the connection was lost' })
    assert.equal(readFileSync(part).length, cutAt)
    assert.ok(!existsSync(got), 'nothing reads a part of it')
    const second = await send()
    assert.equal(second.bytes, CONTENT.length - cutAt)
    assert.ok(CONTENT.equals(readFileSync(got)))
    assert.deepEqual(readdirSync(join(folder, 'sent')), [])
  })

/** What is there of an earlier transfer, and how many bytes are sent because of it. */
const rows: readonly (readonly [name: string, there: Uint8Array | undefined, bytes: number])[] = [
  ['nothing', undefined, CONTENT.length],
  ['all of it', CONTENT, 0],
  ['more than all', Buffer.concat([CONTENT, CONTENT]), CONTENT.length],
  ['a part that a power cut has damaged', Buffer.alloc(100_000), CONTENT.length - 100_000 + CONTENT.length],
]
for (const [name, there, bytes] of rows)
  test(`a transfer with ${name} there: whole in the end`, async (context) => {
    const { folder, got, send, write } = sender(context)
    if (there !== undefined) write(there)
    const sent = await send()
    assert.equal(sent.bytes, bytes)
    assert.ok(CONTENT.equals(readFileSync(got)))
    assert.deepEqual(readdirSync(join(folder, 'sent')), [])
  })

test('a file that arrived whole and was not used is not sent again', async (context) => {
  const { folder, part, got, send, write } = sender(context)
  write(CONTENT)
  writeFileSync(part.replace('.part', ''), CONTENT)
  assert.equal((await send()).bytes, 0)
  writeFileSync(part.replace('.part', ''), CONTENT)
  assert.equal((await send()).bytes, 0)
  assert.ok(CONTENT.equals(readFileSync(got)))
  assert.deepEqual(readdirSync(join(folder, 'sent')), [SHA256])
})

test('a file that arrived whole and was damaged since is sent again', async (context) => {
  const { folder, part, got, send, write } = sender(context)
  write(CONTENT)
  writeFileSync(part.replace('.part', ''), Buffer.alloc(CONTENT.length))
  rmSync(part)
  assert.equal((await send()).bytes, CONTENT.length)
  assert.ok(CONTENT.equals(readFileSync(got)))
  assert.deepEqual(readdirSync(join(folder, 'sent')), [])
})

test('other bytes than were meant are given to nobody, and forgotten', async (context) => {
  const { folder, got, send } = sender(context)
  const { output } = await send(undefined, Buffer.alloc(CONTENT.length))
  assert.ok(typeof output === 'object' && output.code !== 0)
  assert.match(output.stderr, /what has arrived has the SHA-256/)
  assert.ok(!existsSync(got))
  assert.ok(!existsSync(join(folder, 'sent', `${SHA256}.part`)))
})

test('a writer over a connection that the host takes for alive is ended', async (context) => {
  const { part, got, send, write } = sender(context)
  write(CONTENT.subarray(0, 50_000))
  const script = 'exec 8>>"$1"; flock -n 8; echo $$ >"$1.pid"; echo; exec cat'
  const writer = spawn('sh', ['-c', script, 'sh', part], { stdio: 'pipe' })
  const ended = new Promise((resolve) => writer.once('exit', resolve))
  await new Promise((resolve) => writer.stdout.once('data', resolve))
  assert.equal((await send()).bytes, CONTENT.length - 50_000)
  await ended
  assert.ok(CONTENT.equals(readFileSync(got)))
})

test('the command’s own exit code is told, and what it read is gone', async (context) => {
  const { folder, send } = sender(context)
  const { output } = await send(undefined, CONTENT, 'cat >/dev/null; exit 9')
  assert.ok(typeof output === 'object' && output.code === 9)
  assert.deepEqual(readdirSync(join(folder, 'sent')), [])
})

/** Bytes that no archive makes smaller, the same each time. */
const noise = (bytes: number): Buffer => {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash('sha256').update(`${index}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, bytes)
}

test('a release or pages whose connection is cut go on behind what has arrived, also from another process', async (context) => {
  const folder = scratch(context)
  const [from, to, sent] = ['from', 'to', 'sent'].map((name) => join(folder, name)) as [string, string, string]
  for (const each of [from, to]) mkdirSync(each)
  const content = noise(300_000)
  writeFileSync(join(from, 'one'), content)
  writeFileSync(join(from, 'two'), 'two')
  /** The connection is lost once so many bytes of a stream have arrived. */
  const send = async (cutAt: number) => {
    let bytes = 0
    const counting: Runner = (command) => {
      const { stdin } = command
      if (typeof stdin !== 'object' || !('open' in stdin)) return hereGuardedIn(folder)(command)
      const open = async function* () {
        for await (const chunk of stdin.open()) {
          const piece = chunk.subarray(0, cutAt - bytes)
          bytes += piece.length
          yield piece
          if (bytes < cutAt) continue
          // What is under way when it happens would be lost, too; the host may not even have begun.
          const sizes = () => (existsSync(sent) ? readdirSync(sent).map((name) => statSync(join(sent, name)).size) : [])
          while (!sizes().includes(cutAt)) await pause(5)
          throw new Error('the connection was lost')
        }
      }
      return hereGuardedIn(folder)({ ...command, stdin: { open } })
    }
    // Measured and packed anew, as by the next run.
    const pack = await measurePack(from, ['one', 'two'], { subject: 'test', label: '1', store: forgetful })
    const unpack = scriptCommand('tar -xzf - -C "$1"', [to], openArchive(pack))
    const output = await resuming(counting)(unpack).catch((error: Error) => error.message)
    return { bytes, output }
  }
  assert.deepEqual(await send(200_000), { bytes: 200_000, output: 'the connection was lost' })
  assert.deepEqual(readdirSync(to), [], 'nothing is unpacked of a part')
  const { bytes, output } = await send(Number.POSITIVE_INFINITY)
  assert.ok(typeof output === 'object' && output.code === 0, JSON.stringify(output))
  assert.ok(bytes > 90_000 && bytes < 150_000, `${bytes} bytes were sent again`)
  assert.ok(content.equals(readFileSync(join(to, 'one'))))
  assert.deepEqual(readdirSync(join(folder, 'sent')), [])
})
