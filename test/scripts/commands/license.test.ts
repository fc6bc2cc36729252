/** `tappass license`: an authority of one's own, what is wrong with files and words, and what a gateway has. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkLicense } from '../../../contract/license.ts'
import { typeCommand } from '../command-line.ts'

const root = mkdtempSync(join(tmpdir(), 'tappass-license-'))
after(() => rmSync(root, { recursive: true, force: true }))

const license = async (...words: readonly string[]) => {
  const typed = typeCommand(['license', ...words], { root })
  const code = await typed.code
  return { code, stdout: typed.stdout(), stderr: typed.stderr() }
}

const write = (name: string, text: string, mode = 0o600): string => {
  const path = join(root, name)
  rmSync(path, { force: true })
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  return path
}
const privatePem = (key: KeyObject, passphrase?: string): string =>
  key.export({ type: 'pkcs8', format: 'pem', ...(passphrase ? { cipher: 'aes-256-cbc', passphrase } : {}) }).toString()
const publicPem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

const authority = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')
const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const key = write('authority.pem', privatePem(authority.privateKey))
const publicKey = write('authority.pub.pem', publicPem(authority.publicKey), 0o644)
/** The words of a good license, with others in their place. */
const issuing = (other: Readonly<Record<string, string>> = {}): readonly string[] => {
  const said = { org: 'Client Corp', tier: 'enterprise', expires: '2999-12-31', key, ...other }
  return ['issue', ...Object.entries(said).flatMap(([name, value]) => [`--${name}`, value])]
}
const issued = issuing()

test('license: what is issued holds for the gateway and for verify, with the days that are left', async () => {
  const { code, stdout, stderr } = await license(...issued)
  assert.deepEqual([code, stderr], [0, ''])
  const says = { org: 'Client Corp', tier: 'enterprise', expires: '2999-12-31' }
  assert.deepEqual(checkLicense(stdout.trim(), publicPem(authority.publicKey), Date.now()), {
    status: 'valid',
    license: says,
  })
  const file = write('license', stdout)
  const verified = await license('verify', file, '--public-key', publicKey)
  assert.equal(verified.code, 0, verified.stderr)
  assert.match(
    verified.stdout,
    /^status {3}valid\norg {6}Client Corp\ntier {5}enterprise\nexpires {2}2999-12-31, \d+ days left\n$/,
  )
  const json = JSON.parse((await license('verify', file, '--public-key', publicKey, '--json')).stdout)
  assert.deepEqual({ ...json, daysLeft: json.daysLeft > 300_000 }, { ...says, status: 'valid', daysLeft: true })
})

test('license: --out is a new file that only its owner may read, and nothing is printed', async () => {
  const out = join(root, 'out')
  assert.deepEqual(await license(...issued, '--out', 'out'), { code: 0, stdout: '', stderr: '' })
  assert.equal(statSync(out).mode & 0o777, 0o600)
  assert.equal(checkLicense(readFileSync(out, 'utf8').trim(), publicPem(authority.publicKey), 0).status, 'valid')
  const again = await license(...issued, '--out', 'out')
  assert.deepEqual([again.code, again.stdout], [5, ''])
  assert.match(again.stderr, /there is something already/)
})

const good = async () => (await license(...issued)).stdout.trim()

const KEYS: readonly (readonly [what: string, path: () => string, says: RegExp])[] = [
  ['that is not there', () => join(root, 'none'), /ENOENT/],
  ['that is a folder', () => root, /it is not a file/],
  [
    'that the group may read',
    () => write('open.pem', privatePem(authority.privateKey), 0o640),
    /0640: others may read/,
  ],
  ['that all may read', () => write('open.pem', privatePem(authority.privateKey), 0o644), /chmod 600/],
  ['that is empty', () => write('empty.pem', ''), /not a key in PEM/],
  ['that is text', () => write('text.pem', 'BEGIN something'), /not a key in PEM/],
  ['of P-256', () => write('p256.pem', privatePem(p256.privateKey)), /type ec: gateways check Ed25519 alone/],
  ['with a passphrase', () => write('locked.pem', privatePem(authority.privateKey, 'open')), /passphrase/],
  ['that is a public one', () => write('public.pem', publicPem(authority.publicKey)), /it is a public key/],
]
for (const [what, path, says] of KEYS) {
  test(`license issue: a private key ${what} is refused, and nothing is issued`, async () => {
    const { code, stdout, stderr } = await license(...issuing({ key: path() }))
    assert.deepEqual([code, stdout], [5, ''], stderr)
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /MC4CAQ|at .*\.ts:/)
  })
}

const WORDS: readonly (readonly [words: readonly string[], says: RegExp])[] = [
  [['issue', '--key', key], /needs "--org"/],
  [issued.slice(0, -2), /needs "--key"/],
  [issuing({ org: '' }), /--org/],
  [issuing({ org: 'two\nlines' }), /"--org" must be a name/],
  [issuing({ org: ' Corp' }), /"--org" must be a name/],
  [issuing({ org: 'x'.repeat(201) }), /"--org" must be a name/],
  [issuing({ tier: 'Every Thing' }), /"--tier" must be a word/],
  [issuing({ expires: 'tomorrow' }), /"--expires" must be the last valid day/],
  [issuing({ expires: '2999-02-31' }), /"--expires" must be the last valid day/],
  [issuing({ expires: '2999-1-1' }), /"--expires" must be the last valid day/],
  [issuing({ expires: '2001-01-01' }), /which is over/],
  [['verify', 'x'], /needs "--public-key"/],
  [['verify', '--public-key', publicKey], /FILE/],
  [['renew'], /renew/],
]
for (const [words, says] of WORDS) {
  test(`license ${words.join(' ').replaceAll(root, '')}: a usage error`, async () => {
    const { code, stdout, stderr } = await license(...words)
    assert.deepEqual([code, stdout], [64, ''], stderr)
    assert.match(stderr, says)
  })
}

const TOKENS: readonly (readonly [what: string, text: () => Promise<string>, publicKey: () => string, says: RegExp])[] =
  [
    [
      'of another authority',
      good,
      () => write('other.pub', publicPem(other.publicKey)),
      /signature is not that of that public key/,
    ],
    ['with a changed word', async () => (await good()).replace(/\.(...)/, '.abc'), () => publicKey, /signature/],
    ['that is none', async () => 'gold', () => publicKey, /not a token/],
    ['that is empty', async () => '', () => publicKey, /not a token/],
  ]
for (const [what, text, keyPath, says] of TOKENS) {
  test(`license verify: one ${what} does not hold (exit 1)`, async () => {
    const { code, stdout, stderr } = await license('verify', write('token', await text()), '--public-key', keyPath())
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, says)
  })
}

const PUBLIC_KEYS: readonly (readonly [what: string, path: () => string, says: RegExp])[] = [
  ['that is a private one', () => key, /is a private one/],
  ['of P-256', () => write('p256.pub', publicPem(p256.publicKey)), /type ec/],
  ['that is text', () => write('text.pub', 'no key'), /not a key in PEM/],
  ['that is not there', () => join(root, 'none'), /ENOENT/],
]
for (const [what, path, says] of PUBLIC_KEYS) {
  test(`license verify: a public key ${what} is refused`, async () => {
    const { code, stderr } = await license('verify', write('token', await good()), '--public-key', path())
    assert.equal(code, 5)
    assert.match(stderr, says)
  })
}

test('license verify: one that has expired is told as that, and is exit 1', async () => {
  const { issueLicense } = await import('../../../contract/license.ts')
  const token = issueLicense({ org: 'x', tier: 'y', expires: '2001-01-01' }, authority.privateKey)
  const { code, stdout } = await license('verify', write('token', `${token}\r\n`), '--public-key', publicKey)
  assert.deepEqual([code, stdout], [1, 'status   expired\norg      x\ntier     y\nexpires  2001-01-01\n'])
})

test('license show: what a gateway has here, exit 1 once it has expired; no gateway is exit 6', async () => {
  const missing = await license('show', '--data', 'none')
  assert.equal(missing.code, 6, missing.stderr)
  mkdirSync(join(root, 'server'))
  copyFileSync(join(import.meta.dirname, '..', 'stub-gateway.ts'), join(root, 'server', 'main.ts'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  const up = typeCommand(['up', '--no-input', '--json', '--port', '0'], { root })
  try {
    const { url, adminKey } = JSON.parse((await up.until('stdout', /.*\n/))[0])
    const expired = 'status   expired\norg      Client Corp\ntier     enterprise\nexpires  2001-01-01\n'
    const shown = await license('show')
    assert.deepEqual([shown.code, shown.stdout], [1, expired], shown.stderr)
    const keyFile = write('admin-key', adminKey)
    assert.equal((await license('show', '--url', url, '--admin-key-file', keyFile)).stdout, expired)
    const refused = await license('show', '--url', url, '--admin-key-file', write('wrong', 'tp_wrong'))
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /cannot read the license: the gateway returned HTTP 401/)
  } finally {
    up.interrupt('SIGTERM')
    await up.code
  }
})
