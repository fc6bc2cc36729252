/** The question for a journal: its arguments by the command line, and that it ends with its standard input, whatever else happens. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { journalCommand, readJournalRequest } from '../../../scripts/journal/journal-query.ts'

const given = (options: Readonly<Record<string, string | boolean>>) => ({ options }) as unknown as Invocation
const never = new Promise<void>(() => {})

describe('arguments', () => {
  const rows = [
    { options: {}, args: ['--lines=100'] },
    { options: { since: '1h' }, args: ['--since=-3600s', '--lines=all'] },
    { options: { since: '2w', lines: '5' }, args: ['--since=-1209600s', '--lines=5'] },
    { options: { since: '2026-11-26' }, args: ['--since=@1795651200', '--lines=all'] },
    { options: { since: '2026-11-26 10:00' }, args: ['--since=@1795687200', '--lines=all'] },
    { options: { since: '2026-11-26T10:00:00+02:00' }, args: ['--since=@1795680000', '--lines=all'] },
    { options: { follow: true, lines: '0' }, args: ['--follow', '--lines=0'] },
  ]
  for (const { options, args } of rows)
    test(JSON.stringify(options), () => {
      const { argv } = journalCommand(readJournalRequest(given(options)), ['tappass@*.service'], never)
      assert.deepEqual(
        argv.filter((word) => /^--(follow|since|lines|unit)/.test(word)),
        [...args, '--unit=tappass@*.service'],
      )
    })
})

describe('what is not understood is refused', () => {
  const rows = [
    { since: 'yesterday' },
    { since: '1h; reboot' },
    { since: '-1h' },
    { since: '2026-13-01' },
    { since: '' },
    { lines: '-1' },
    { lines: 'many' },
    { lines: '99999999' },
    { lines: '1e3' },
  ]
  for (const options of rows)
    test(JSON.stringify(options), () =>
      assert.throws(() => readJournalRequest(given(options)), { code: 64, message: /^"--(since|lines)" is / }),
    )
})

describe('following', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-journal-'))
  after(() => rmSync(folder, { recursive: true }))
  const [pidFile, stopFile] = [join(folder, 'pid'), join(folder, 'stop')]
  // It writes a line, waits like journalctl without entries, and ends with 7 when it is told to.
  writeFileSync(
    join(folder, 'journalctl'),
    `#!/bin/sh\necho $$ >${pidFile}; echo first\nwhile [ ! -e ${stopFile} ]; do sleep 0.05; done; exit 7\n`,
  )
  chmodSync(join(folder, 'journalctl'), 0o755)
  const start = () => {
    const request = { isFollowing: true, since: undefined, lines: 1 }
    const [program, ...args] = journalCommand(request, ['x'], never).argv
    const child = spawn(program, args, { env: { PATH: `${folder}:/usr/bin:/bin` }, stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    const first = new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))))
    return { child, ended, first }
  }
  // That of a process which has ended leads nowhere, also while nobody has asked for its exit code.
  const isRunning = () => existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/exe`)

  test('a line arrives while it runs; the end of its input ends journalctl, too', async () => {
    const { child, ended, first } = start()
    assert.equal(await first, 'first\n')
    child.stdin.end()
    await ended
    for (let looks = 0; isRunning() && looks < 250; looks++) await wait(20)
    assert.equal(isRunning(), false)
  })

  test('journalctl that ends by itself: its exit code, although nobody closed the input', async () => {
    const { ended, first } = start()
    await first
    writeFileSync(stopFile, '')
    assert.equal(await ended, 7)
  })
})
