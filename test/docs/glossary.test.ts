/** The glossary is short, and each of its terms is in use. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const GLOSSARY = 'docs/reference/glossary.md'
const TERMS_MAX = 30

const terms = [...readFileSync(join(root, GLOSSARY), 'utf8').matchAll(/^\| \*\*(.+?)\*\* \|/gm)].map(
  ([, term]) => term ?? '',
)

const texts = globSync(['docs/**/*.md', 'README.md', 'server/**/*.ts', 'scripts/**/*.ts'], { cwd: root })
  .filter((path) => path !== GLOSSARY)
  .map((path) => readFileSync(join(root, path), 'utf8').toLowerCase())

test(`it holds ${TERMS_MAX} terms at most, each once`, () => {
  assert.ok(terms.length > 20 && terms.length <= TERMS_MAX, `${terms.length} terms`)
  assert.deepEqual(terms, [...new Set(terms)])
})

test('each term stands in the code or on another page', () => {
  for (const term of terms) {
    const word = new RegExp(`\\b${term.replaceAll(' ', '[\\s-]+')}s?\\b`)
    assert.ok(
      texts.some((text) => word.test(text)),
      term,
    )
  }
})
