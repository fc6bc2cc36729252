/** The pages as a pack: from a clone, from those of an installed server, or from nowhere. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { forgetful } from '../../../scripts/artifacts/measurement-store.ts'
import { measurePages } from '../../../scripts/artifacts/site-pages.ts'
import { scratch } from '../known-host.ts'

const FILES = [
  ...['mkdocs.yml', 'docs/index.md', 'docs/requirements.txt', 'docs/theme/hook.py'],
  ...['LICENSE', 'dist/mermaid.tiny.js'].map((name) => `node_modules/@mermaid-js/tiny/${name}`),
]

const lay = (root: string, files: readonly string[]): string => {
  for (const file of files) {
    mkdirSync(join(root, file, '..'), { recursive: true })
    writeFileSync(join(root, file), file)
  }
  return root
}

const namesOf = (manifest: string) =>
  manifest
    .trim()
    .split('\n')
    .map((line) => line.slice(68))

test('pages: all of a clone’s, without what Python left there; the same content is the same version', async (context) => {
  const root = lay(scratch(context), [...FILES, 'docs/theme/__pycache__/hook.pyc', 'server/main.ts'])
  const pages = await measurePages(root, forgetful, '/nowhere')
  assert.deepEqual(namesOf(pages.manifest), FILES.toSorted())
  assert.equal(pages.requirements, 'docs/requirements.txt')
  assert.match(pages.version, /^pages-[0-9a-f]{12}$/)
  assert.equal((await measurePages(root, forgetful, '/nowhere')).version, pages.version)
  appendFileSync(join(root, 'docs/index.md'), 'more')
  assert.notEqual((await measurePages(root, forgetful, '/nowhere')).version, pages.version)
})

test('pages: a release without any takes those that are installed, which are the same version', async (context) => {
  const folder = scratch(context)
  const installed = lay(join(folder, 'installed'), [...FILES, '.manifest'])
  const clone = lay(join(folder, 'clone'), FILES)
  const release = lay(join(folder, 'release'), ['server/main.ts'])
  const { version } = await measurePages(clone, forgetful, installed)
  assert.equal((await measurePages(release, forgetful, installed)).version, version)
})

for (const missing of ['mkdocs.yml', 'docs/requirements.txt', 'node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js']) {
  test(`pages: without ${missing} it is refused (exit 5), and named`, async (context) => {
    const root = lay(scratch(context), FILES)
    rmSync(join(root, missing))
    await assert.rejects(measurePages(root, forgetful, '/nowhere'), (error: { code: number; why: string }) => {
      assert.equal(error.code, 5)
      assert.ok(JSON.stringify(error).includes(missing), JSON.stringify(error))
      return true
    })
  })
}
