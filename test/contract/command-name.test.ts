/** What an error tells to type exists: every command of ours that a text names is one of the table. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VERBS } from '../../scripts/command-table.ts'

const root = join(import.meta.dirname, '../..')

/** Words that follow the product's name, for verbs with subcommands two of them. */
const NAMED = /(?<![\w./@-])tappass ([a-z]+)(?: ([a-z]+))?/g

/** Phrases that are no command: the name of a process, of the product in a sentence. */
const PHRASES = new Set(['gateway', 'on', 'beside'])

/** The commands that a text names and the table lacks. */
const unknownIn = (text: string): readonly string[] =>
  [...text.matchAll(NAMED)].flatMap(([named, verb = '', action]) => {
    if (PHRASES.has(verb)) return []
    const { actions, operands } = VERBS.find(({ name }) => name === verb) ?? {}
    if (!VERBS.some(({ name }) => name === verb)) return [named]
    const isKnown = actions === undefined || action === undefined || actions.some(({ name }) => name === action)
    return isKnown || operands !== undefined ? [] : [named]
  })

test('every command that a message names exists', () => {
  const files = globSync(['{server,scripts,contract,templates,units}/**/*.{ts,hbs,sh,sql}'], {
    cwd: root,
  })
  assert.ok(files.length > 300)
  const unknown = files.flatMap((file) =>
    unknownIn(readFileSync(join(root, file), 'utf8')).map((named) => `${file}: ${named}`),
  )
  assert.deepEqual(unknown, [])
})

const rows = [
  ['restore it: tappass backup undo', ['tappass backup undo']],
  ['tappass migrate sideways', ['tappass migrate sideways']],
  ['tappass migrate up --json, tappass plan', []],
] as const

for (const [text, unknown] of rows) {
  test(`in "${text}" it is ${unknown.join() || 'none'} that does not`, () => assert.deepEqual(unknownIn(text), unknown))
}
