/** How long commands may take: none for ever, and a job of systemd longer than its unit may. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { changeCommand, deadlineMsOf, timeoutArgv, within } from '../../../scripts/core/command.ts'
import type { Command } from '../../../scripts/core/host.ts'
import { systemctlJob } from '../../../scripts/core/unit-command.ts'

const rows: readonly (readonly [name: string, command: Command, seconds: number])[] = [
  ['a question', { argv: ['true'], effect: 'read' }, 30],
  ['a change', changeCommand('true'), 300],
  ['one with its own time', within(0.5, changeCommand('true')), 30],
  ['a job of systemd', systemctlJob('start', 'x.service'), 2400],
]

for (const [name, command, seconds] of rows) {
  test(`deadline: ${name} has ${seconds} s, and the host keeps it`, () => {
    assert.equal(deadlineMsOf(command), seconds * 1000)
    assert.deepEqual(timeoutArgv(command), ['timeout', '-k', '5', `${seconds}`, ...command.argv])
  })
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, min: 60, h: 3600 }
const folder = join(import.meta.dirname, '../../../units')
const limits = readdirSync(folder)
  .filter((name) => /^tappass.*\.service\.hbs$/.test(name) && !name.startsWith('tappass-backup'))
  .map((name) => {
    const matches = readFileSync(join(folder, name), 'utf8').matchAll(/^Timeout(?:Start|Stop)Sec=(\d+)(min|h|)$/gm)
    return [
      name,
      [...matches].reduce((sum, [, count, unit = '']) => sum + Number(count) * (SECONDS[unit] ?? 1), 0),
    ] as const
  })

test('deadline: a restart of any unit ends by the limits of the unit, before that of the job', () => {
  assert.ok(limits.length >= 5)
  for (const [name, seconds] of limits)
    assert.ok(seconds > 0 && seconds * 1000 < deadlineMsOf(systemctlJob('restart', name)), name)
})
