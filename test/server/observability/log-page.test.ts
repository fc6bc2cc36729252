/** Each event of the log stands on its page with its level, and none that there is not. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '../../..')
const CALL = /\blog\.(trace|debug|info|warn|error|fatal)\(\s*(?:\{.*?\},\s*)?('(?:[^']*)'|"(?:[^"]*)"|[\w.]+)\s*\)/gs

/** Texts that are no literals, as the page names them. */
const NAMED: Readonly<Record<string, string>> = {
  'error.row.code':
    'a code of the [table of errors](errors.md) with a status of 500 and above, such as `gateway.internal`',
  warning: 'a warning of the [settings](settings.md)',
}

const sources = globSync('server/**/*.ts', { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), 'utf8'))
const nameOf = (text: string): string => NAMED[text] ?? `\`${text.slice(1, -1)}\``
const inCode = sources
  .flatMap((source) => [...source.matchAll(CALL)])
  .map(([, level, text = '']) => `${level} ${nameOf(text)}`)
  .toSorted()

test('the page of log events has those of the code', () => {
  const page = readFileSync(join(ROOT, 'docs/reference/log-events.md'), 'utf8')
  const table = page.slice(page.indexOf('| level | `msg`'))
  const rows = [...table.matchAll(/^\| (info|warn|error|fatal) \| (.+?) \| /gm)]
  assert.deepEqual(rows.map(([, level, text]) => `${level} ${text}`).toSorted(), inCode)
})

test('no call of the log escapes the comparison', () => {
  const calls = sources.flatMap((source) => [...source.matchAll(/\blog\.(?:trace|debug|info|warn|error|fatal)\(/g)])
  assert.equal(inCode.length, calls.length)
})
