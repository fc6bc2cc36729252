/** Who runs and who does not: this process, another with its number, one that ended, one that nobody collected. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { identifyProcess, isRunning } from '../../../scripts/core/process-identity.ts'

describe('process identity', () => {
  test('this process runs, and one with its number that started at another time does not', () => {
    const own = identifyProcess(process.pid)
    assert.equal(isRunning(own), true)
    assert.equal(isRunning({ ...own, start: '1' }), false)
  })

  test('one that ended does not run', () => {
    const { pid } = spawnSync('true')
    assert.equal(isRunning({ pid, start: '1' }), false)
    assert.equal(isRunning(identifyProcess(pid)), false)
  })

  test('one that ended and was not collected does not run', async () => {
    // The shell becomes a program that waits for no child; only then its child's input ends, and it is a zombie from then on.
    const script = 'cat <&3 >/dev/null & echo $!; exec cat 3<&-'
    const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore', 'pipe'] })
    const [said] = await once(parent.stdout as Readable, 'data')
    const pid = Number(String(said))
    const isIn = (id: number | undefined, state: RegExp) => state.test(readFileSync(`/proc/${id}/stat`, 'utf8'))
    while (!isIn(parent.pid, /\(cat\)/)) await pause(5)
    ;(parent.stdio[3] as Writable).end()
    while (!isIn(pid, /\) Z /)) await pause(5)
    assert.equal(isRunning(identifyProcess(pid)), false)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
  })
})
