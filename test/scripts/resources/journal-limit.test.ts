/** The journal's limit: rows of what a host has, and the question on staleness on a real disk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GetFact, Output } from '../../../scripts/core/host.ts'
import { journalLimit } from '../../../scripts/resources/journal-limit.ts'

const limit = journalLimit({ megabytesMax: 512 })
const TEXT = `# Laid down by TapPass' toolkit (housekeeping.journalMegabytesMax); edits are undone at its next run.
[Journal]
SystemMaxUse=512M
`

/** A host with this drop-in, whose journald is older than the file or not. */
const hostWith =
  (content: string | undefined, isStale: boolean): GetFact =>
  async (fact) => {
    const { createHash } = await import('node:crypto')
    const output = (stdout: string, code = 0): Output => ({ code, stdout, stderr: '' })
    const [program, , script = ''] = fact.query.argv
    if (program === 'stat')
      return fact.parse(content === undefined ? output('', 1) : output(['81a4', 'root', 'root', 0, 0, 9].join('\0')))
    if (program === 'base64') return fact.parse(output(Buffer.from(content ?? '').toString('base64')))
    if (script.includes('ActiveEnterTimestamp')) return fact.parse(output(isStale ? 'stale\n' : ''))
    const digest = createHash('sha256').update(content ?? '')
    return fact.parse(output(content === undefined ? '' : digest.digest('hex')))
  }

const rows = [
  ['absent', undefined, false, ['it is absent']],
  ['as it shall be', TEXT, false, []],
  ['edited', `${TEXT}Storage=none\n`, false, ['its content differs']],
  [
    'newer than the process, as after a run that was killed',
    TEXT,
    true,
    ['/etc/systemd/journald.conf.d/tappass.conf is newer than the process'],
  ],
] as const
for (const [name, content, isStale, reasons] of rows) {
  test(`journal limit: ${name}`, async () => {
    const changes = await limit.plan(hostWith(content, isStale))
    assert.deepEqual(
      changes.map(({ reason }) => reason),
      reasons,
    )
    for (const { commands } of changes)
      assert.deepEqual(commands.at(-1)?.argv, ['systemctl', 'restart', 'systemd-journald.service'])
  })
}
