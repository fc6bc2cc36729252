/** What is told of a failed step. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportFailure } from '../../../scripts/converge/failure-report.ts'
import { changeCommand, describeCommand, RETRYING, scriptCommand } from '../../../scripts/core/command.ts'
import type { Command } from '../../../scripts/core/host.ts'
import { serveCommand } from '../../../scripts/core/unit-command.ts'

const report = async (command: Command, stderr: string) => {
  const asked: Command[] = []
  const run = async (question: Command) => {
    asked.push(question)
    return { code: 0, stdout: 'journal line 1\njournal line 2\n', stderr: '' }
  }
  const planned = { action: 'start x', reason: 'it is inactive', commands: [command] } as const
  const failed = { command, output: { code: 3, stdout: 'out\n\n', stderr } }
  return { failure: await reportFailure(run, 'unit:x', planned, failed, 'tappass bootstrap --yes'), asked }
}

test('failure report: a unit that did not start comes with its journal', async () => {
  const { failure, asked } = await report(changeCommand('systemctl', 'restart', 'x.service'), 'Job failed\n')
  assert.deepEqual(failure, {
    resource: 'unit:x',
    action: 'start x',
    command: 'systemctl restart x.service',
    code: 3,
    output: ['out', 'Job failed'],
    journal: { unit: 'x.service', lines: ['journal line 1', 'journal line 2'] },
    next: 'journalctl -u x.service -e   (on the host), then tappass bootstrap --yes',
  })
  assert.equal(asked[0]?.effect, 'read')
})

test('failure report: an instance that does not serve is shown as what was done with it, with its journal', async () => {
  const { failure } = await report(serveCommand('restart', 'x@1.service', 'serving'), 'x@1.service is not well\n')
  assert.deepEqual(
    [failure.command, failure.journal?.unit, failure.output],
    ['systemctl restart x@1.service', 'x@1.service', ['out', 'x@1.service is not well']],
  )
})

test('failure report: other commands come with their last twenty lines', async () => {
  const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`)
  const { failure, asked } = await report(changeCommand('apt-get', 'install', 'x'), lines.join('\n'))
  assert.deepEqual(failure.output, lines.slice(-20))
  assert.equal(failure.journal, undefined)
  assert.equal(failure.next, 'tappass bootstrap --yes')
  assert.equal(asked.length, 0)
})

test('describe: one line, quoted, cut where it is long, and never what goes in', () => {
  const value = ['open', 'sesame'].join('-')
  assert.equal(describeCommand(changeCommand('echo', 'a b', "it's")), "echo 'a b' 'it'\\''s'")
  const text = describeCommand(scriptCommand(`${'true\n'.repeat(100)}`, ['x'], value))
  assert.ok(text.length <= 201 && !text.includes('\n') && !text.includes(value))
})

test('describe: a command that a script tries again is shown, not the script', () => {
  const argv = ['sh', '-euc', 'retry "$@"', RETRYING, 'apt-get', 'update'] as const
  assert.equal(describeCommand({ argv }), 'apt-get update')
})

const deadlines = [
  [124, /^not finished within 300 s; it was ended$/],
  [137, /^it was killed: out of memory, or not finished within 300 s$/],
] as const

for (const [code, says] of deadlines) {
  test(`failure report: exit code ${code} is explained`, async () => {
    const planned = { action: 'pull', reason: 'it is absent', commands: [changeCommand('x')] } as const
    const failed = { command: changeCommand('x'), output: { code, stdout: '', stderr: '' } }
    const run = async () => ({ code: 0, stdout: '', stderr: '' })
    assert.match((await reportFailure(run, 'image:x', planned, failed, 'tappass bootstrap')).output.join(), says)
  })
}
