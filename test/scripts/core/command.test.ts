/** How long commands may take: none for ever, and the host keeps the time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeCommand, deadlineMsOf, timeoutArgv, within } from '../../../scripts/core/command.ts'
import type { Command } from '../../../scripts/core/host.ts'

const rows: readonly (readonly [name: string, command: Command, seconds: number])[] = [
  ['a question', { argv: ['true'], effect: 'read' }, 30],
  ['a change', changeCommand('true'), 300],
  ['one with its own time', within(0.5, changeCommand('true')), 30],
]

for (const [name, command, seconds] of rows) {
  test(`deadline: ${name} has ${seconds} s, and the host keeps it`, () => {
    assert.equal(deadlineMsOf(command), seconds * 1000)
    assert.deepEqual(timeoutArgv(command), ['timeout', '-k', '5', `${seconds}`, ...command.argv])
  })
}
