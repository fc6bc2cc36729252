/** Who runs and who does not: this process, another with its number, one that ended, one that nobody collected. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
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
    // The parent reads on and on without waiting for its child, which is a zombie from then on.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
    const [said] = await once(parent.stdout, 'data')
    const pid = Number(String(said))
    const isZombie = () => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    while (!isZombie()) await new Promise((done) => setTimeout(done, 20))
    assert.equal(isRunning(identifyProcess(pid)), false)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
  })
})
