/** The site: built beside the one that is served, on a real disk; systemd-run is a stand-in, MkDocs is one in most rows. Needs: mkdocs. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Command } from '../../../scripts/core/host.ts'
import type { Resource } from '../../../scripts/core/resource.ts'
import { builtSite } from '../../../scripts/resources/built-site.ts'
import { applyHere, factsHere, here, scratch } from '../known-host.ts'

const LAB = process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab'
const MKDOCS_PATH = [join(LAB, 'mkdocs/bin'), process.env['PATH']].join(delimiter)

/** Takes systemd-run's own words away and runs the rest, as the unit would. */
const SYSTEMD_RUN = `#!/bin/sh
while :; do case $1 in -p|-E) shift 2 ;; -*) shift ;; *) break ;; esac; done
exec "$@"
`
/** Takes MkDocs' place: the "pages" are a file with the home page, or with what is wrong. */
const PYTHON = `#!/bin/sh
[ "$1 $2 $3" = '-m mkdocs build' ] || exit 9
while [ $# -gt 0 ]; do case $1 in --config-file) config=$2 ;; --site-dir) site=$2 ;; esac; shift; done
pages=\${config%/mkdocs.yml}
if [ -f "$pages/wrong" ]; then cat "$pages/wrong" >&2; exit 1; fi
rm -rf "$site"; mkdir -p "$site/sub"; [ ! -f "$pages/home" ] || cp "$pages/home" "$site/index.html"; echo x >"$site/sub/x.html"
[ ! -f "$pages/link" ] || ln -s /etc/passwd "$site/sub/link"
`

const prepared = (context: TestContext) => {
  const folder = scratch(context)
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text, { mode })
  }
  write('bin/systemd-run', SYSTEMD_RUN, 0o755)
  write('env/bin/python', PYTHON, 0o755)
  write('pages/home', 'home')
  const site = join(folder, 'site')
  /** What is planned here runs the stand-in: the runner has a PATH of its own. */
  const withStandIn = (argv: Command['argv']): Command['argv'] => {
    const [first, ...rest] = argv.map((word) => word.replace('exec systemd-run', `exec ${folder}/bin/systemd-run`))
    return [first ?? '', ...rest]
  }
  const wanted = (version: string): Resource => {
    const resource = builtSite({
      ...{ folder: site, version, pages: join(folder, 'pages'), environment: join(folder, 'env') },
      memoryMegabytes: 384,
    })
    const plan: Resource['plan'] = async (getFact) =>
      (await resource.plan(getFact)).map((change) => {
        const [first, ...rest] = change.commands.map((each) => ({ ...each, argv: withStandIn(each.argv) }))
        return { ...change, commands: [first ?? change.commands[0], ...rest] }
      })
    return { ...resource, plan }
  }
  return { folder, write, site, wanted }
}

const reasons = (changes: readonly Readonly<{ reason: string }>[]) => changes.map(({ reason }) => reason)

/** Runs what is planned up to the first command that fails. */
const failing = async (resource: Resource) => {
  const commands = (await resource.plan(factsHere())).flatMap((change) => [...change.commands])
  for (const command of commands) {
    const output = await here(command)
    if (output.code !== 0) return output
  }
  return undefined
}

test('site: built, linked, and then there is nothing to do; of older builds one is kept', async (context) => {
  const { site, wanted } = prepared(context)
  assert.deepEqual(reasons(await applyHere(wanted('a'))), ['it is absent', 'it is absent'])
  for (const [index, version] of ['b', 'c'].entries()) {
    utimesSync(join(site, 'builds', ['a', 'b'][index] ?? ''), index + 1, index + 1)
    await applyHere(wanted(version))
  }
  assert.equal(readlinkSync(join(site, 'current')), join(site, 'builds/c'))
  assert.deepEqual(readdirSync(join(site, 'builds')).toSorted(), ['b', 'c'])
  assert.deepEqual(readdirSync(join(site, 'builds/c')).toSorted(), ['.manifest', 'index.html', 'sub'])
})

const wrong = [
  {
    name: 'a page that is refused',
    path: 'wrong',
    text: "WARNING - contains a link 'x.md'",
    says: /contains a link 'x\.md'/,
  },
  { name: 'a link in the build', path: 'link', text: '', says: /sub\/link is no file/ },
] as const
for (const { name, path, text, says } of wrong) {
  test(`site: ${name} fails with its words; what was served stays, and what is left goes with the next run`, async (context) => {
    const { folder, write, site, wanted } = prepared(context)
    await applyHere(wanted('a'))
    write(`pages/${path}`, text)
    assert.match((await failing(wanted('b')))?.stderr ?? '', says)
    assert.equal(readlinkSync(join(site, 'current')), join(site, 'builds/a'))
    assert.ok(existsSync(join(site, 'builds/a/index.html')))
    rmSync(join(folder, 'pages', path))
    assert.deepEqual(reasons(await applyHere(wanted('a'))), ['an interrupted run left it'])
    await applyHere(wanted('b'))
  })
}

test('site: MkDocs itself refuses a link to nowhere, and builds the page without it', async (context) => {
  const { folder, write, site, wanted } = prepared(context)
  const program = execFileSync('sh', ['-c', 'command -v mkdocs'], { encoding: 'utf8', env: { PATH: MKDOCS_PATH } })
  rmSync(join(folder, 'env'), { recursive: true })
  symlinkSync(join(realpathSync(program.trim()), '../..'), join(folder, 'env'))
  write('pages/mkdocs.yml', 'site_name: x\nvalidation: { links: { not_found: warn } }\n')
  write('pages/docs/index.md', '# Home\n\n[nowhere](nowhere.md)\n')
  assert.match(
    (await failing(wanted('a')))?.stderr ?? '',
    /contains a link 'nowhere\.md'[\s\S]*Aborted with 1 warnings/,
  )
  assert.equal(existsSync(join(site, 'current')), false)
  write('pages/docs/index.md', '# Home\n')
  await applyHere(wanted('a'))
  assert.match(readFileSync(join(site, 'current/index.html'), 'utf8'), /<h1 id="home">Home/)
})

test('site: without a home page it is none', async (context) => {
  const { folder, wanted } = prepared(context)
  rmSync(join(folder, 'pages/home'))
  assert.match((await failing(wanted('a')))?.stderr ?? '', /no index\.html/)
})

const damages = [
  { name: 'changed', harm: (path: string) => appendFileSync(join(path, 'index.html'), 'x') },
  { name: 'missing', harm: (path: string) => rmSync(join(path, 'sub/x.html')) },
  { name: 'added', harm: (path: string) => writeFileSync(join(path, 'sub/y.html'), '') },
] as const
for (const { name, harm } of damages) {
  test(`site: a file that was ${name} on the host is a reason to build it again`, async (context) => {
    const { site, wanted } = prepared(context)
    await applyHere(wanted('a'))
    harm(join(site, 'builds/a'))
    assert.deepEqual(reasons(await applyHere(wanted('a'))), ['its files were changed'])
  })
}

test('site: a folder in the place of the link is refused', async (context) => {
  const { site, wanted } = prepared(context)
  mkdirSync(join(site, 'current'), { recursive: true })
  await assert.rejects(wanted('a').plan(factsHere()), { code: 5 })
})

test('site: the build is another account, without a network, and may write to nothing', async (context) => {
  const [build] = await prepared(context).wanted('a').plan(factsHere())
  const argv: readonly string[] = build?.commands[1]?.argv ?? []
  for (const word of ['DynamicUser=yes', 'PrivateNetwork=yes', 'ProtectSystem=strict', 'CapabilityBoundingSet='])
    assert.ok(argv.includes(word), word)
  assert.equal(
    argv.some((word) => word.startsWith('ReadWritePaths')),
    false,
  )
})
