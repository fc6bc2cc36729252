/** Counting rows in the text of a restore, as rows; cut into pieces of every size. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRowCounter } from '../../../server/backups/row-count.ts'

const rows: readonly Readonly<{ name: string; text: string; counts: Readonly<Record<string, number>> }>[] = [
  { name: 'nothing', text: '', counts: {} },
  { name: 'no data', text: 'SET x = 1;\n\nCOPY public.a (b) FROM stdin;\n\\.\n', counts: { 'public.a': 0 } },
  {
    name: 'two tables with what a setting says in between',
    text: 'COPY public.a (b, c) FROM stdin;\n1\t2\n3\t\\N\n\\.\n\nSET y;\nCOPY public.d (e) FROM stdin;\n\n\\.\n',
    counts: { 'public.a': 2, 'public.d': 1 },
  },
  {
    name: 'rows that look like the end, or like a beginning',
    text: 'COPY public.a (b) FROM stdin;\n\\\\.\n\\.x\nCOPY public.z (b) FROM stdin;\n\\.\n',
    counts: { 'public.a': 3 },
  },
  {
    name: 'names in quotes, and no columns',
    text: 'COPY public."two ""words"" (x" (b) FROM stdin;\n1\n\\.\nCOPY "S".e FROM stdin;\n\\.\n',
    counts: { 'public."two ""words"" (x"': 1, '"S".e': 0 },
  },
  { name: 'a table that breaks off', text: 'COPY public.a (b) FROM stdin;\n1\n2\n', counts: {} },
  {
    name: 'more columns than fit, long rows, letters of several bytes',
    text: `COPY public.a (${'column, '.repeat(90)}) FROM stdin;\n${'é'.repeat(400)}\n${'x'.repeat(1000)}\n\\.\n`,
    counts: { 'public.a': 2 },
  },
]
for (const { name, text, counts } of rows) {
  test(`rows of a dump: ${name}`, () => {
    const bytes = Buffer.from(text)
    for (const size of [1, 2, 3, 7, 64, 301, bytes.length + 1]) {
      const counter = createRowCounter()
      for (let at = 0; at < bytes.length; at += size) counter.take(bytes.subarray(at, at + size))
      assert.deepEqual(Object.fromEntries(counter.counts()), counts, `pieces of ${size}`)
    }
  })
}
