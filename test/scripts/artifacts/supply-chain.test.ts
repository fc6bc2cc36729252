/** What comes from npm: nothing of it runs when it is installed, and it is what the lock file says. Needs: npm. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NPM_QUIET } from '../../../bench/peer.ts'
import { scratch } from '../known-host.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** What npm is told; `view` and `config` run nothing of a package. */
const VERBS = 'ci|install|i|pack|exec|update|rebuild|add|publish|run|test|sbom|audit|view|config'
const HARMLESS = /^(view|config)$/

/** `['npm', 'install', …]`, `('npm', ['ci', …])`, and what cannot be told: `('npm', words)`, `['npm', ...words]`. */
const IN_CODE = new RegExp(
  `\\[\\s*'npm',\\s*(?:'(${VERBS})'|\\.\\.\\.)[^\\]]*|\\(\\s*'npm',\\s*(?:\\[\\s*'([\\w-]+)'[^\\]]*|\\w+)`,
  'g',
)

/** `npm install …`, also by the launcher's function, and the words that it is given beforehand. */
const IN_SHELL = new RegExp(`(?:^|[\\s;&|(])(?:npm|run_npm|set --)[ \\t]+(${VERBS})\\b.*`, 'gm')

/** Calls of npm in a text that would run install scripts; comments are no calls. */
const loudCalls = (text: string, isShell: boolean): readonly string[] => {
  const code = text.replaceAll(isShell ? /(^|\s)#.*/gm : /^\s*(\/\/|\*|\/\*).*/gm, '')
  return [...code.matchAll(isShell ? IN_SHELL : IN_CODE)]
    .filter(([, verb, asked]) => !HARMLESS.test(verb ?? asked ?? ''))
    .map(([call]) => call.trim())
    .filter((call) => !call.includes('--ignore-scripts') && !call.includes('...NPM_QUIET'))
}

/** Everything that the project runs: code, shell scripts and what CI does. */
const programs = ['scripts', 'server', 'bench', 'test', '.ci']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
  .concat('tappass', 'bootstrap.sh')
  .filter((path) => path.endsWith('.ts') || path.endsWith('.sh') || !/\.[a-z]+$/.test(path))
  // This file plants such calls.
  .filter((path) => path !== 'test/scripts/artifacts/supply-chain.test.ts')

test('supply chain: no call of npm runs scripts of a package', () => {
  const found = programs.flatMap((path) =>
    loudCalls(read(path), !path.endsWith('.ts')).map((call) => `${path}: ${call}`),
  )
  assert.deepEqual(found, [])
  assert.ok(NPM_QUIET.includes('--ignore-scripts'))
  assert.match(read('.npmrc'), /^ignore-scripts=true$/m)
})

const plantedCalls = [
  ["spawnSync('npm', ['ci', '--omit=dev'])", false],
  ["demand(['npm', 'pack', '--silent', name])", false],
  ["[['npm', 'install', '--prefix', folder]]", false],
  ["['npm', ...words, 'x']", false],
  ["execFileSync('npm', ['exec', 'x'])", false],
  ['cd x && npm install', true],
  ['(cd "$work" && run run_npm pack --loglevel=error "$source")', true],
  ['set -- ci --no-audit', true],
] as const

for (const [call, isShell] of plantedCalls)
  test(`supply chain: "${call}" would be found, and is none with --ignore-scripts`, () => {
    assert.equal(loudCalls(call, isShell).length, 1)
    const quiet = isShell
      ? call.replace(/\b(ci|install|pack)\b/, '$1 --ignore-scripts')
      : call.replace(/(\.\.\.words)|\]/, "$1, '--ignore-scripts']")
    assert.deepEqual(loudCalls(quiet, isShell), [])
  })

type Lock = Readonly<{
  lockfileVersion: number
  packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}>

const lock: Lock = JSON.parse(read('package-lock.json'))
const manifest: Readonly<Record<string, unknown>> = JSON.parse(read('package.json'))

/** What is wrong with a lock file: what could come from elsewhere, or be something else, without being noticed. */
const lockProblems = ({ packages }: Lock): readonly string[] =>
  Object.entries(packages).flatMap(([path, { integrity, resolved, link, version }]) => {
    if (path === '') return []
    const isDigest = /^sha512-[A-Za-z0-9+/]{86}==$/.test(String(integrity))
    return [
      ...(isDigest ? [] : [`${path}: no SHA-512`]),
      // Without an address npm asks the registry that is set, by name and version.
      ...(resolved === undefined && link === undefined ? [] : [`${path}: comes from an address of its own`]),
      ...(/^\d+\.\d+\.\d+/.test(String(version)) ? [] : [`${path}: no version`]),
    ]
  })

test('supply chain: each locked package has its SHA-512 and comes from the registry', () => {
  assert.equal(lock.lockfileVersion, 3)
  assert.deepEqual(lockProblems(lock), [])
})

const integrity = `sha512-${'A'.repeat(86)}==`
const brokenEntries = [
  ['no integrity', { version: '1.0.0' }],
  ['a weak digest', { version: '1.0.0', integrity: 'sha1-AAAA' }],
  ['an address of its own', { version: '1.0.0', integrity, resolved: 'git+ssh://git@example.com/a.git' }],
  ['a link to a folder', { version: '1.0.0', integrity, link: true }],
] as const

for (const [name, entry] of brokenEntries)
  test(`supply chain: a locked package with ${name} would be found`, () => {
    assert.equal(lockProblems({ lockfileVersion: 3, packages: { 'node_modules/a': entry } }).length, 1)
  })

test('supply chain: the lock file is that of package.json, and npm ci accepts it', (context) => {
  for (const kind of ['dependencies', 'devDependencies']) assert.deepEqual(lock.packages['']?.[kind], manifest[kind])
  const cache = scratch(context)
  const argv = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--cache', cache]
  const { status, stderr } = spawnSync('npm', argv, { cwd: root, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
})

test('supply chain: what is installed is what is locked', () => {
  const installed: Lock = JSON.parse(read('node_modules/.package-lock.json'))
  for (const [path, { integrity: found }] of Object.entries(installed.packages))
    assert.equal(found, lock.packages[path]?.['integrity'], path)
})

test('supply chain: a new package with an install script is seen', () => {
  const scripted = Object.entries(lock.packages)
    .filter(([, entry]) => entry['hasInstallScript'] === true)
    .map(([path]) => path.replace('node_modules/', ''))
  assert.deepEqual(scripted.toSorted(), ['cpu-features', 'ssh2'])
})
