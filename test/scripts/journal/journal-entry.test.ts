/** Entries of a journal from what journalctl prints, and how they are shown: nothing of them commands a terminal. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { printable, printableJson } from '../../../scripts/core/printable.ts'
import { parseJournalEntry } from '../../../scripts/journal/journal-entry.ts'
import { eventLines } from '../../../scripts/output/text-renderer.ts'

const at = { __REALTIME_TIMESTAMP: '1764198000123456' }
const loggedAt = '2025-11-26T23:00:00.123Z'

describe('entries', () => {
  const rows = [
    {
      is: 'a line of a process',
      fields: { ...at, MESSAGE: 'ready', PRIORITY: '5', _SYSTEMD_UNIT: 'tappass@1.service' },
      entry: { loggedAt, unit: 'tappass@1.service', priority: 5, message: 'ready' },
    },
    {
      is: "systemd's own word about a unit",
      fields: { ...at, MESSAGE: 'Started.', UNIT: 'tappass@1.service', _SYSTEMD_UNIT: 'init.scope' },
      entry: { loggedAt, unit: 'tappass@1.service', priority: 6, message: 'Started.' },
    },
    {
      is: 'bytes that are no UTF-8',
      fields: { ...at, MESSAGE: [104, 105, 255], SYSLOG_IDENTIFIER: 'caddy' },
      entry: { loggedAt, unit: 'caddy', priority: 6, message: 'hi\ufffd' },
    },
    {
      is: 'a field that is there twice',
      fields: { ...at, MESSAGE: ['one', [116, 119, 111]] },
      entry: { loggedAt, unit: '', priority: 6, message: 'one two' },
    },
    {
      is: 'without time and text',
      fields: { MESSAGE: null, PRIORITY: '99' },
      entry: { loggedAt: '', unit: '', priority: 6, message: '' },
    },
  ]
  for (const { is, fields, entry } of rows)
    test(is, () => assert.deepEqual(parseJournalEntry(JSON.stringify(fields)), entry))
  for (const line of ['', 'No journal files were found.', '{ not JSON', '-- cursor: s=1'])
    test(`no entry: "${line}"`, () => assert.equal(parseJournalEntry(line), undefined))
})

describe('what a terminal would obey is written out', () => {
  const rows = [
    ['\u001b[2J', '\\u{1b}[2J'],
    ['\u009b31m', '\\u{9b}31m'],
    ['a\rb\bc', 'a\\u{d}b\\u{8}c'],
    ['a\tb', 'a\tb'],
    ['\u202egpj.exe', '\\u{202e}gpj.exe'],
    ['\u2028', '\\u{2028}'],
    ['Grüße 漢字 🙂', 'Grüße 漢字 🙂'],
  ] as const
  for (const [text, shown] of rows) {
    test(JSON.stringify(text), () => {
      assert.equal(printable(text), shown)
      const json = printableJson(JSON.stringify(text))
      assert.equal(JSON.parse(json), text, 'JSON gives it back')
      assert.doesNotMatch(json, /[\p{Cc}\p{Cf}\u2028]/u)
    })
  }
})

test('a message of several lines: each has its time and unit, so that none is taken for another entry', () => {
  const event = {
    event: 'log',
    loggedAt,
    unit: 'tappass@1.service',
    priority: 6,
    message: 'one\n\u001b]0;x\u0007two',
  } as const
  assert.deepEqual(eventLines(event, { program: 'tappass', hasDiffs: false }), [
    `${loggedAt} tappass@1 one`,
    `${loggedAt} tappass@1 \\u{1b}]0;x\\u{7}two`,
  ])
})
