/** `versions.yaml` as the toolkit reads it, and the key that it pins. Needs: gpg. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import satisfies from 'semver/functions/satisfies.js'
import { parsePins } from '../../../scripts/artifacts/pin.ts'
import { floorProblems, lockedVersions } from '../../../scripts/artifacts/version-floor.ts'
import { scratch } from '../known-host.ts'

const text = readFileSync(new URL('../../../versions.yaml', import.meta.url), 'utf8')

test('pins: the repository has every one, images by digest', () => {
  const { images } = parsePins(text)
  for (const { reference } of Object.values(images)) assert.match(reference, /^[a-z]+:[^@]+@sha256:[0-9a-f]{64}$/)
})

test("pins: Docker's key in this repository is the pinned one, and the only one", (context) => {
  const key = fileURLToPath(new URL('../../../templates/docker/docker.asc', import.meta.url))
  const env = { ...process.env, GNUPGHOME: scratch(context) }
  const shown = execFileSync('gpg', ['--show-keys', '--with-colons', key], { env, encoding: 'utf8' })
  // A record `fpr` follows each `pub` (doc/DETAILS of GnuPG).
  const primary = [...shown.matchAll(/^pub:.*\n(?:.*\n)*?fpr:+([0-9A-F]{40}):/gm)].map(([, fingerprint]) => fingerprint)
  assert.equal(shown.match(/^pub:/gm)?.length, 1)
  assert.deepEqual(primary, [parsePins(text).docker.fingerprint])
})

const withFloor = (name: string, least: string): string =>
  text.replace(/^floors:.*[\s\S]*/m, `floors:\n  ${name}:\n    at-least: ${least}\n    because: it is old\n`)

const except = (version: string, since = '2026-11-26') =>
  `    except:\n      version: ${version}\n      since: ${since}\n      because: the newer one is not to be had\n`
const { caddy } = parsePins(text)

const breaches = [
  ['a checksum that is none', text.replace(/linux-x64: [0-9a-f]{64}/, 'linux-x64: latest'), /archives/],
  ['a fingerprint that is short', text.replace(/fingerprint: \w+/, 'fingerprint: 0EBFCD88'), /fingerprint/],
  ['no images', text.replace(/^images:/m, 'pictures:'), /images/],
  ['a floor without a reason', text.replace(/^ {4}because: .*/m, ''), /floors.node.because/],
  ['a floor of nothing', text.replace(/^ {2}opa:\n {4}at-least/m, '  opal:\n    at-least'), /floors/],
  ['a Node below its floor', withFloor('node', '25.0.0'), /node 24\.21\.0 is below its floor 25\.0\.0: it is old/],
  ['Caddy below its floor', withFloor('caddy', '99.0.0'), /caddy \S+ is below its floor 99\.0\.0/],
  ['OPA below its floor', withFloor('opa', '99.0.0'), /opa \S+ is below its floor 99\.0\.0/],
  ['PostgreSQL below its floor', withFloor('postgres', '16.99.0'), /postgres 16\.\d+\.0 is below its floor 16\.99\.0/],
  [
    'SPIRE below its floor',
    text.replace(/^( {2}version: )1\.15\.\d+$/m, '$11.15.0'),
    /spire 1\.15\.0 is below its floor/,
  ],
  ['spiffe-helper below its floor', withFloor('spiffe-helper', '99.0.0'), /spiffe-helper \S+ is below its floor/],
  ['an exception for another version', withFloor('caddy', '99.0.0') + except('1.0.0'), /caddy \S+ is below its floor/],
  ['an exception that nothing needs', withFloor('caddy', '1.0.0') + except('0.9.0'), /caddy 0\.9\.0 .* remove except/],
  [
    'an exception without a date',
    withFloor('caddy', '99.0.0') + except(caddy.version, 'lately'),
    /floors\.caddy\.except/,
  ],
  ['Redis below its floor', withFloor('redis', '7.4.99'), /redis 7\.4\.\d+ is below its floor 7\.4\.99/],
] as const

test('pins: a floor that is met is no problem', () => {
  assert.doesNotThrow(() => parsePins(withFloor('redis', '7.4.0')))
})

test('pins: the one older version that is accepted by word is no problem', () => {
  assert.doesNotThrow(() => parsePins(withFloor('caddy', '99.0.0') + except(caddy.version)))
})

const floors = parsePins(text).floors.packages
const locked: Parameters<typeof lockedVersions>[0] = JSON.parse(
  readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8'),
)

test('pins: no locked package is below its floor, and each that has a floor is locked', () => {
  const versions = lockedVersions(locked)
  assert.deepEqual(floorProblems(floors, versions), [])
  for (const name of Object.keys(floors)) assert.ok(versions[name] !== undefined, name)
})

test('pins: a locked package below its floor is found, nested copies and scoped names too', () => {
  const packages = {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '2.0.0' },
    'node_modules/@b/c': { version: '1.2.0' },
    'node_modules/@b/c/node_modules/a': { version: '1.0.0' },
  }
  const old = { 'at-least': '1.5.0', because: 'it is old' }
  assert.deepEqual(floorProblems({ a: old, '@b/c': old }, lockedVersions({ packages })), [
    'a 1.0.0 is below its floor 1.5.0: it is old',
    '@b/c 1.2.0 is below its floor 1.5.0: it is old',
  ])
})

test('pins: every Node is one that package.json allows', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  for (const { version } of parsePins(text).node) assert.ok(satisfies(version, engines.node), version)
})

for (const [name, broken, message] of breaches)
  test(`pins: ${name}`, () => assert.throws(() => parsePins(broken), message))
