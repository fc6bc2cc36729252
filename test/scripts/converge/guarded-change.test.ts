/** A guarded change: confirmed over a new connection, or put back, whichever connection can still say so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyGuarded, type GuardedResult } from '../../../scripts/converge/guarded-change.ts'
import { changeCommand } from '../../../scripts/core/command.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import { confirmCommand, restoreCommand } from '../../../scripts/core/guard.ts'
import type { Command, Connection, Output, Runner } from '../../../scripts/core/host.ts'
import { nonce } from '../known-host.ts'

const guard = { paths: ['/etc/x'], units: ['x.service'] }
const change = { commands: [changeCommand('cut')] as const, guard }
const lost = () => new Failure({ what: 'the connection was lost' }, 6)

type Answer = Output | Failure
type Answers = Partial<Record<'arm' | 'change' | 'confirm' | 'restore', Answer>>
const ok: Output = { code: 0, stdout: '', stderr: '' }
const failed = (code: number, stderr: string): Output => ({ code, stdout: '', stderr })

/** Commands of a change travel in a script: that which arms the guard is the one that sets a timer. */
const kindOf = ({ argv, stdin }: Command): keyof Answers => {
  if (argv.includes(confirmCommand().argv[2] ?? '')) return 'confirm'
  if (argv.includes(restoreCommand().argv[2] ?? '')) return 'restore'
  return String(stdin).includes('systemd-run') ? 'arm' : 'change'
}

/** What was asked over which connection, and how it was answered. */
const runnerOf =
  (name: string, answers: Answers, asked: string[]): Runner =>
  async (command) => {
    const kind = kindOf(command)
    asked.push(`${name}:${kind}`)
    const answer = answers[kind] ?? ok
    if (answer instanceof Failure) throw answer
    const mark = command.argv.length > 1 ? undefined : /[0-9a-f]{32}/.exec(String(command.stdin))?.[0]
    if (mark === undefined) return answer
    const end = `\n${mark} 0 ${answer.code}\n`
    return { ...answer, stdout: end, stderr: `${answer.stderr}${end}` }
  }

type Row = Readonly<{
  name: string
  old?: Answers
  fresh?: Answers | Failure
  asked: readonly string[]
  expected: 'done' | 'put-back' | 'failed' | 1 | 6
}>

const rows: readonly Row[] = [
  { name: 'it is confirmed', asked: ['old:arm', 'old:change', 'new:confirm'], expected: 'done' },
  {
    name: 'it cannot be guarded, so it is not made',
    old: { arm: failed(1, 'no timer') },
    asked: ['old:arm'],
    expected: 'failed',
  },
  {
    name: 'it fails itself',
    old: { change: failed(1, 'no') },
    asked: ['old:arm', 'old:change', 'old:restore'],
    expected: 'put-back',
  },
  {
    name: 'no new connection can be made',
    fresh: lost(),
    asked: ['old:arm', 'old:change', 'old:restore'],
    expected: 'put-back',
  },
  {
    name: 'the host put it back already',
    fresh: { confirm: failed(3, '') },
    asked: ['old:arm', 'old:change', 'new:confirm', 'old:restore'],
    expected: 'put-back',
  },
  {
    name: 'neither connection works at first',
    old: { restore: lost() },
    fresh: { confirm: lost() },
    asked: ['old:arm', 'old:change', 'new:confirm', 'old:restore', 'new:restore'],
    expected: 'put-back',
  },
  {
    name: 'the host stays away',
    old: { restore: lost() },
    fresh: lost(),
    asked: ['old:arm', 'old:change', 'old:restore'],
    expected: 6,
  },
  {
    name: 'the connection is lost in the middle, and a new one says that all is as before',
    old: { change: lost(), restore: lost() },
    asked: ['old:arm', 'old:change', 'old:restore', 'new:restore'],
    expected: 'put-back',
  },
  {
    name: 'the connection is lost in the middle, and the host stays away',
    old: { change: lost(), restore: lost() },
    fresh: lost(),
    asked: ['old:arm', 'old:change', 'old:restore'],
    expected: 6,
  },
  {
    name: 'it printed too much',
    old: { change: new Failure({ what: 'too much' }, 1) },
    asked: ['old:arm', 'old:change', 'old:restore'],
    expected: 1,
  },
]

const outcomeOf = (result: GuardedResult) =>
  result.status === 'done' ? 'done' : result.isPutBack === true ? 'put-back' : 'failed'

for (const { name, old = {}, fresh = {}, asked: expectedAsked, expected } of rows) {
  test(`guarded change: ${name}`, async () => {
    const asked: string[] = []
    let open = 0
    const reconnect = async (): Promise<Connection> => {
      if (fresh instanceof Failure) throw fresh
      const run = runnerOf('new', fresh, asked)
      open++
      return {
        run,
        runAsUser: run,
        endReads: () => undefined,
        dial: () => Promise.reject(new Error('nobody dials')),
        close: async () => void open--,
      }
    }
    const context = { run: runnerOf('old', old, asked), reconnect, nonce }
    const listener = { onCommand: () => undefined, onLine: () => undefined }
    const outcome = await applyGuarded(context, change, listener, 0).then(outcomeOf, (error: Failure) => error.code)
    assert.deepEqual([asked, outcome, open], [expectedAsked, expected, 0])
  })
}
