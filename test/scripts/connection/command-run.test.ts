/** Commands within bounds: a deadline that host and controller keep, output up to a size, reads that an interrupt ends. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createCommandRunner, type StartedCommand } from '../../../scripts/connection/command-run.ts'
import { splitLines } from '../../../scripts/connection/line-splitter.ts'
import type { Command } from '../../../scripts/core/host.ts'
import { connectLocal } from '../../../scripts/runners/local.ts'
import { here, scratch } from '../known-host.ts'

const sh = (script: string, more: Partial<Command> = {}): Command => ({
  argv: ['sh', '-c', script],
  effect: 'read',
  ...more,
})

/** Waits until a process that wrote its number into a file has ended. */
const untilEnded = async (file: string): Promise<void> => {
  while (!existsSync(file) || readFileSync(file, 'utf8').trim() === '') await pause(10)
  const pid = readFileSync(file, 'utf8').trim()
  const isRunning = () => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  while (isRunning()) await pause(10)
}

test('a command that does not end is ended at its deadline, with what it started, and what it said is kept', async (context) => {
  const file = join(scratch(context), 'pid')
  const output = await here(sh(`echo begun; sleep 600 & echo $! >${file}; wait`, { deadlineMs: 300 }))
  assert.deepEqual([output.code, output.stdout, output.overdueMs], [124, 'begun\n', 300])
  await untilEnded(file)
})

test('a command that ended in time is not overdue, whatever its code', async () => {
  for (const code of [0, 1, 124, 137]) {
    const output = await here(sh(`exit ${code}`))
    assert.deepEqual([output.code, output.overdueMs], [code, undefined])
  }
})

/** A command that says one word and never ends. */
const endless = (givenUp: string[]): StartedCommand => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  stdout.write('word')
  return { stdout, stderr, ended: new Promise(() => {}), giveUp: () => givenUp.push('given up') }
}

test('a host that does not keep the deadline is not waited for: what it said is kept', async () => {
  const givenUp: string[] = []
  const { run } = createCommandRunner(async () => endless(givenUp), 10)
  const { code, stdout, overdueMs } = await run(sh('true', { deadlineMs: 20 }))
  assert.deepEqual([code, stdout, overdueMs], [124, 'word', 20])
  await pause(0)
  assert.deepEqual(givenUp, ['given up'])
})

test('a connection that does not even start the command is not waited for; if it starts later, it is given up', async () => {
  const givenUp: string[] = []
  const starting = Promise.withResolvers<StartedCommand>()
  const { run } = createCommandRunner(() => starting.promise, 10)
  assert.equal((await run(sh('true', { deadlineMs: 20 }))).overdueMs, 20)
  starting.resolve(endless(givenUp))
  await pause(0)
  assert.deepEqual(givenUp, ['given up'])
})

test('an interrupt ends reads at once, and no change', async (context) => {
  const folder = scratch(context)
  const { runAsUser: run, endReads } = connectLocal(true)
  const reading = run(sh(`echo $$ >${folder}/read; sleep 600`))
  const changing = run(sh(`echo $$ >${folder}/change; sleep 0.5; echo done`, { effect: 'change' }))
  while (!existsSync(`${folder}/read`) || !existsSync(`${folder}/change`)) await pause(10)
  const failed = assert.rejects(reading, /interrupted/)
  endReads(new Error('interrupted'))
  await failed
  await untilEnded(`${folder}/read`)
  assert.equal((await changing).stdout, 'done\n')
})

for (const stream of ['1', '2'] as const) {
  test(`a host that prints without end (stream ${stream}) is stopped, and only a bounded part is kept`, async (context) => {
    const file = join(scratch(context), 'pid')
    const printing = here(sh(`echo $$ >${file}; exec cat /dev/zero >&${stream}`, { outputBytesMax: 1_000_000 }))
    await assert.rejects(printing, { name: 'Failure', message: /printed too much: timeout .*cat \/dev\/zero/ })
    await untilEnded(file)
  })
}

test('a line without an end is handed on in parts', () => {
  const lines: string[] = []
  const { write, end } = splitLines((line) => lines.push(line))
  for (let part = 0; part < 20; part++) write(Buffer.alloc(30_000, 'x'))
  write(Buffer.from('\nlast'))
  end()
  assert.equal(lines.join('').length, 600_004)
  assert.ok(lines.every((line) => line.length < 100_000))
  assert.equal(lines.at(-1), 'last')
})
