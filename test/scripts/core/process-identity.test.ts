/** Who runs and who does not: this process, another with its number, one that ended, one that nobody collected. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import {
  identifyProcess,
  isRunning,
  type ProcessSpace,
  processSpaceId,
  readProcessSpace,
  stateOfProcess,
} from '../../../scripts/core/process-identity.ts'

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

  test('what is known of a process: it runs, it has ended, its number is that of another one', () => {
    const own = identifyProcess(process.pid)
    const states = [own, { ...own, start: '1' }, { pid: spawnSync('true').pid, start: '1' }].map(stateOfProcess)
    assert.deepEqual(states, ['running', 'ended', 'ended'])
  })
})

const bastion: ProcessSpace = { machineId: 'm1', bootId: 'b1', pidNamespace: 'pid:[1]' }
const spaces: readonly Readonly<{ name: string; other: Partial<ProcessSpace>; isSame: boolean | undefined }>[] = [
  { name: 'the same machine, boot and namespace', other: {}, isSame: true },
  { name: 'another machine with a cloned machine id', other: { bootId: 'b2' }, isSame: false },
  { name: 'the same machine after a reboot', other: { bootId: 'b2' }, isSame: false },
  { name: 'another container with the same machine id', other: { pidNamespace: 'pid:[2]' }, isSame: false },
  { name: 'another container of another image', other: { machineId: 'm2', pidNamespace: 'pid:[2]' }, isSame: false },
  { name: 'an image without a machine id', other: { machineId: '' }, isSame: false },
  { name: 'another machine altogether', other: { machineId: 'm2', bootId: 'b2' }, isSame: false },
  { name: 'no boot id (not Linux)', other: { bootId: '' }, isSame: undefined },
  { name: 'no namespaces', other: { pidNamespace: '' }, isSame: undefined },
]

describe('process space', () => {
  for (const { name, other, isSame } of spaces) {
    test(`${name}: ${isSame === undefined ? 'cannot be told' : isSame ? 'the same' : 'another one'}`, () => {
      const id = processSpaceId({ ...bastion, ...other })
      assert.equal(id === undefined ? undefined : id === processSpaceId(bastion), isSame)
    })
  }

  test('two processes of this machine are in the same one, and its ids are not told', () => {
    const { bootId, machineId } = readProcessSpace()
    const id = processSpaceId(readProcessSpace())
    assert.equal(id, processSpaceId(readProcessSpace()))
    assert.match(id ?? '', /^[0-9a-f]{32}$/)
    for (const secret of [bootId, machineId].filter((text) => text !== '')) assert.ok(!id?.includes(secret))
  })
})
