/** The pages build as a site without a warning, need no other server to be read, and the links of README.md lead somewhere. Needs: mkdocs. */
import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { $ } from 'zx'

const root = join(import.meta.dirname, '../..')
const site = mkdtempSync(join(tmpdir(), 'tappass-site-'))
after(() => rmSync(site, { recursive: true }))

const venv = join(process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab', 'mkdocs/bin')

test('mkdocs builds all pages, strictly, without a network', async () => {
  const proxy = 'http://127.0.0.1:9'
  const PATH = [venv, process.env['PATH']].join(delimiter)
  const env = { ...process.env, PATH, NO_MKDOCS_2_WARNING: '1', https_proxy: proxy, http_proxy: proxy }
  await $({ cwd: root, env, quiet: true })`mkdocs build --strict --site-dir ${site}`
  const pages = globSync('docs/**/*.md', { cwd: root }).length
  assert.equal(globSync('**/index.html', { cwd: site }).length, pages)
})

test('no page loads anything from another server, and diagrams are drawn by the site’s own script', () => {
  for (const path of globSync('**/*.html', { cwd: site })) {
    const page = readFileSync(join(site, path), 'utf8')
    assert.deepEqual(page.match(/<(script|img|link|iframe)\b[^>]*(src|href)="(https?:)?\/\/[^>]*>/g), null, path)
    assert.doesNotMatch(page, /@import|url\((https?:)?\/\//, path)
  }
  const architecture = readFileSync(join(site, 'architecture/index.html'), 'utf8')
  assert.match(architecture, /<pre class="mermaid">/)
  assert.match(architecture, /src="\.\.\/javascripts\/mermaid\.js"/)
  assert.ok(existsSync(join(site, 'javascripts/mermaid.js')))
})

for (const page of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md']) {
  test(`the links of ${page} lead to files that are there, and to headings that they have`, () => {
    const links = [...readFileSync(join(root, page), 'utf8').matchAll(/(?:\]\(|src=")([^)"#\s]+)(?:#([^)"]+))?[)"]/g)]
    for (const [, path = '', anchor] of links) {
      if (/^https?:/.test(path)) continue
      assert.ok(existsSync(join(root, path)), path)
      if (anchor === undefined) continue
      const headings = [...readFileSync(join(root, path), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w\s-]/g, '')
          .trim()
          .replaceAll(/\s/g, '-'),
      )
      assert.ok(headings.includes(anchor), `${path}#${anchor}`)
    }
  })
}

test('files of the repository that pages name are there', () => {
  const gone = globSync(['docs/**/*.md', '*.md'], { cwd: root })
    .filter((page) => page !== 'CHANGELOG.md')
    .flatMap((page) =>
      [
        ...readFileSync(join(root, page), 'utf8').matchAll(
          /`((?:bench|contract|docs|migrations|scripts|server|templates|test|units)\/[\w./-]+)`/g,
        ),
      ]
        .map(([, path = '']) => path)
        .filter((path) => !/[A-Z]{3}/.test(path) && !existsSync(join(root, path)))
        .map((path) => `${page}: ${path}`),
    )
  assert.deepEqual(gone, [])
})
