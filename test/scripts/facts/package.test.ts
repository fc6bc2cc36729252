/** What dpkg prints, read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packagesFact } from '../../../scripts/facts/package.ts'

const parse = (stdout: string) => packagesFact.parse({ code: 0, stdout, stderr: '' })

test('packages: status and version by name; of two architectures the installed one', () => {
  const { byName, interrupted } = parse('curl\tii \t8.1\nlibc6\trc \t2.36\nlibc6\tii \t2.41\nold\tun \t\n')
  assert.deepEqual(byName.get('curl'), { status: 'ii', version: '8.1' })
  assert.deepEqual(byName.get('libc6'), { status: 'ii', version: '2.41' })
  assert.deepEqual([byName.has('old'), interrupted], [false, []])
})

const states = [
  ['ii ', false],
  ['rc ', false],
  ['iU ', true],
  ['iF ', true],
  ['iH ', true],
  ['iW ', true],
  ['it ', true],
  ['iHR', true],
] as const

for (const [status, isInterrupted] of states) {
  test(`packages: "${status}" is ${isInterrupted ? 'an' : 'no'} interrupted installation`, () => {
    assert.deepEqual(parse(`x\t${status}\t1\n`).interrupted, isInterrupted ? ['x'] : [])
  })
}

test("packages: dpkg's unfinished journal, and no dpkg at all", () => {
  assert.deepEqual(parse('x\tii \t1\nupdates\n').interrupted, ['updates'])
  assert.deepEqual(packagesFact.parse({ code: 127, stdout: '', stderr: 'not found' }), {
    byName: new Map(),
    interrupted: [],
  })
})
