/** The tables of judgement beside others: shares, totals and processor time from small numbers that can be counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Column, type Outcome, peerTable, spanTable } from '../../bench/detector-peer-table.ts'
import { scoreSpans } from '../../bench/span-score.ts'

const outcome = (group: string, isAttack: boolean, isFlagged: boolean): Outcome => {
  return { group, isAttack, isFlagged, bytes: 512, us: isFlagged ? 30 : 10 }
}

/** The cells of a table in Markdown, without its head. */
const cellsOf = (table: string): readonly (readonly string[])[] =>
  table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => line.slice(2, -2).split(' | '))

test('a row for each group, two for all of a kind, and the processor time', () => {
  const judged = (...flagged: readonly boolean[]): Column['outcomes'] => [
    outcome('file', false, flagged[0] === true),
    outcome('file', false, flagged[1] === true),
    outcome('prompt', false, flagged[2] === true),
    outcome('jailbreak', true, flagged[3] === true),
  ]
  const columns = [
    { name: 'ours', outcomes: judged(false, false, false, true) },
    { name: 'other', outcomes: judged(true, false, true, false) },
  ]
  assert.deepEqual(cellsOf(peerTable(columns)), [
    ['file', 'ordinary', '2', '0 (0.0; 0.0–65.8)', '1 (50.0; 9.5–90.5)'],
    ['prompt', 'ordinary', '1', '0 (0.0; 0.0–79.3)', '1 (100.0; 20.7–100.0)'],
    ['jailbreak', 'attacks', '1', '1 (100.0; 20.7–100.0)', '0 (0.0; 0.0–79.3)'],
    ['all that are ordinary', 'ordinary', '3', '0 (0.0; 0.0–56.2)', '2 (66.7; 20.8–93.9)'],
    ['all that are attacks', 'attacks', '1', '1 (100.0; 20.7–100.0)', '0 (0.0; 0.0–79.3)'],
    ['processor, µs per KB', '', '', '30', '40'],
  ])
})

test('labelled spans: found when they overlap, wrong when nothing is labelled there, none of a kind is a dash', () => {
  const rows = [
    { text: 'mail a@b.example', spans: [{ type: 'EMAIL_ADDRESS', start: 5, end: 16 }] },
    { text: 'call 12345', spans: [] },
  ]
  const found = [[{ kind: 'pii.email', span: [7, 16] as const }], [{ kind: 'pii.phone', span: [5, 10] as const }]]
  const scores = scoreSpans(rows, found)
  assert.deepEqual(scores.get('pii.email'), { right: 1, exact: 0, missed: 0, wrong: 0 })
  assert.deepEqual(scores.get('pii.phone'), { right: 0, exact: 0, missed: 0, wrong: 1 })
  const cells = cellsOf(spanTable([{ name: 'ours', scores, usPerKb: '7' }]))
  assert.deepEqual(
    cells.filter(([kind]) => kind === 'pii.email' || kind === 'pii.phone' || kind === 'pii.iban'),
    [
      ['pii.phone', '0', '–', '0 (0.0; 0.0–79.3)'],
      ['pii.email', '1', '1 (100.0; 20.7–100.0)', '1 (100.0; 20.7–100.0)'],
      ['pii.iban', '0', '–', '–'],
    ],
  )
  assert.deepEqual(cells.at(-1), ['processor, µs per KB', '', '7', ''])
})
