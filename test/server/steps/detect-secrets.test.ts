/** detect_secrets finds every shape, alone and in running text, plain and disguised, and covers exactly the secret. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep } from '../../../server/steps/detect-secrets.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf, inspectText } from '../pipeline/call-fixture.ts'
import { made, pastedKeys, privateKey } from '../rules/fixture.ts'
import { NAMED_SECRETS, NO_SECRETS, SECRETS } from '../rules/secret-fixture.ts'

const step = createStep(testEngine())

const sure = async (text: string) => (await inspectText(step, text)).filter(({ confidence }) => confidence >= 0.5)

for (const [kind, secret] of SECRETS) {
  test(`secret.${kind}: ${secret.slice(0, 6)}…`, async () => {
    for (const [before, after] of [
      ['', ''],
      ['Please use ', ' for this.'],
      ['{"k":"', '"}'],
      ['x=', '\n'],
      ['„', '“'],
    ] as const) {
      const findings = await sure(before + secret + after)
      assert.deepEqual(
        findings.map(({ kind, span }) => [kind, ...span]),
        [[`secret.${kind}`, before.length, before.length + secret.length]],
        before,
      )
    }
  })
}

for (const [kind, before, secret, after] of NAMED_SECRETS) {
  test(`secret.${kind} after ${before}`, async () => {
    const findings = await sure(before + secret + after)
    assert.deepEqual(
      findings.map(({ kind, span }) => [kind, ...span]),
      [[`secret.${kind}`, before.length, before.length + secret.length]],
    )
  })
}

for (const text of NO_SECRETS) {
  test(`no secret: ${text.slice(0, 40)}`, async () => assert.deepEqual(await sure(text), []))
}

const key = privateKey()
const disguises: readonly (readonly [string, string])[] = [
  ['base64', Buffer.from(key).toString('base64')],
  ['base64url', Buffer.from(key).toString('base64url')],
  [
    'base64, wrapped',
    (
      Buffer.from(key)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\r\n'),
  ],
  ['base64 twice', Buffer.from(Buffer.from(key).toString('base64')).toString('base64')],
  ['base64 behind other letters', `xy${Buffer.from(key).toString('base64')}`],
  ['hex', Buffer.from(key).toString('hex')],
  ['percent', encodeURIComponent(key)],
  ['percent twice', encodeURIComponent(encodeURIComponent(key))],
  ['JSON', JSON.stringify({ key })],
  ['JSON in JSON', JSON.stringify(JSON.stringify({ key }))],
  ['unicode escapes', [...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
  ['zero width', [...key].join('\u200b')],
  ['full width', [...key].map((c) => (c > ' ' ? String.fromCharCode(c.charCodeAt(0) + 0xfee0) : c)).join('')],
  ['Windows line ends', key.replaceAll('\n', '\r\n')],
  ['spaces for line ends', key.replaceAll('\n', ' ')],
  [
    'quoted lines of code',
    key
      .split('\n')
      .map((line) => `"${line}\\n" +`)
      .join('\n'),
  ],
  ['without a footer', key.slice(0, key.indexOf('\n-----END'))],
  ['with PEM headers', key.replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n')],
]
for (const [disguise, text] of disguises) {
  test(`a private key as ${disguise}`, async () => {
    const findings = (await sure(`see ${text}`)).filter(({ kind }) => kind === 'secret.private_key')
    assert.equal(findings.length, 1)
    const [start, end] = findings[0]?.span ?? [0, 0]
    const rest = `see ${text}`.slice(0, start) + `see ${text}`.slice(end)
    assert.ok(rest.length <= 48, `left over: ${rest}`)
  })
}

const password = ['Hunt', 'er2a'].join('')
const COVERED: readonly (readonly [name: string, text: string])[] = [
  ['a name before the name', `set token=pwd=${password} now`],
  ['quotes around both', `secret="pwd=${password}"`],
  ['a sentence around both', `app secret: pwd=${password};`],
  [
    'the first line of a key in the same base64',
    Buffer.from(
      `notes: -----BEGIN PRIVATE ${'KEY'}----- is the header; password=Sup3rS3cretKey99xyz and done`,
    ).toString('base64'),
  ],
]
for (const [name, text] of COVERED) {
  test(`a weak finding hides no strong one: ${name}`, async () => {
    assert.ok((await sure(text)).some(({ kind }) => kind === 'secret.assignment'))
  })
}

for (const [name, text] of pastedKeys()) {
  test(`a private key pasted as ${name}`, async () => {
    const pasted = `see\n${text}\nthanks`
    const findings = (await sure(pasted)).filter(({ kind }) => kind === 'secret.private_key')
    assert.equal(findings.length, 1)
    const [start, end] = findings[0]?.span ?? [0, 0]
    const rest = pasted.slice(0, start) + pasted.slice(end)
    assert.ok(rest.length <= 120, `left over: ${rest}`)
    assert.ok(!/[A-Za-z0-9+/]{16}/.test(pasted.slice(end)), `left over: ${pasted.slice(end)}`)
  })
}

const der = (hex: string, bytes: number): string => hex + made(2 * bytes, 'hex')
const BODIES: readonly (readonly [name: string, hex: string])[] = [
  ['RSA of 2048 bits', der('308204a402010002820101008', 900)],
  ['RSA of 4096 bits', der('3082092902010002820201008', 900)],
  ['RSA of 1024 bits', der('3082025c02010002818100c', 500)],
  ['RSA in PKCS#8', der('308204bd020100300d06092a864886f70d0101010500048204a7', 900)],
  ['P-256', der('30770201010420', 100)],
  ['P-384', der('3081a40201010430', 140)],
  ['P-521', der('3081dc0201010442', 200)],
  ['P-256 in PKCS#8', der('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 100)],
  ['Ed25519', der('302e020100300506032b657004220420', 32)],
  ['X25519', der('302e020100300506032b656e04220420', 32)],
  ['an encrypted key', der('3082051c304e06092a864886f70d01050d3041', 900)],
  ['OpenSSH', der('6f70656e7373682d6b65792d763100', 500)],
  ['OpenPGP RSA', der('95039804656e7373010800d', 900)],
  ['OpenPGP Ed25519', der('945804656e737316092b06010401da470f01010740', 80)],
]
for (const [name, hex] of BODIES) {
  test(`the body of a key without its first line: ${name}`, async () => {
    const body = Buffer.from(hex.slice(0, hex.length - (hex.length % 2)), 'hex').toString('base64')
    const lines = body.match(/.{1,64}/g) ?? []
    for (const text of [body, lines.join('\n'), lines.map((line) => `# ${line}`).join('\n')]) {
      const findings = (await sure(`key: ${text}`)).filter(({ kind }) => kind === 'secret.private_key')
      assert.deepEqual(
        findings.map(({ span }) => span[1]),
        [`key: ${text}`.length],
      )
    }
  })
}

test('certificates, public keys and signatures are no private keys', async () => {
  const publics = [
    ['CERTIFICATE', '3082036b30820253a003020102021401'],
    ['PUBLIC KEY', '30820122300d06092a864886f70d01010105000382010f003082010a0282010100'],
    ['EC PUBLIC KEY', '3059301306072a8648ce3d020106082a8648ce3d03010703420004'],
    ['PGP PUBLIC KEY BLOCK', '99010d04656e737301080'],
    ['CERTIFICATE REQUEST', '308202 8a30820172020100304531'],
  ] as const
  for (const [sort, hex] of publics) {
    const bytes = Buffer.from(der(hex.replaceAll(' ', ''), 600).slice(0, 1200), 'hex').toString('base64')
    const text = `-----BEGIN ${sort}-----\n${(bytes.match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${sort}-----`
    assert.deepEqual(await sure(text), [], sort)
  }
})

test('two keys in a row are two findings', async () => {
  const text = `${privateKey('RSA ')}\n${privateKey('EC ')}`
  const findings = await sure(text)
  assert.deepEqual(
    findings.map(({ span }) => text.slice(...span)),
    [privateKey('RSA '), privateKey('EC ')],
  )
})

const NO_KEYS: readonly string[] = [
  'The lines -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- stand around it.',
  'const HEADER = "-----BEGIN RSA PRIVATE KEY-----";\nconst FOOTER = "-----END RSA PRIVATE KEY-----";\nexport function isPem(text) {',
  "if (text.startsWith('-----BEGIN PRIVATE KEY-----')) return readKeyFromFile(path2, { isEncrypted: false })",
  'grep -rl "BEGIN OPENSSH PRIVATE KEY" /home/deploy/.ssh/config.d/production2/eu-west-1/hosts',
  'MIIEpAIBAAKCAQEA... (your key here)',
]
for (const text of NO_KEYS) {
  test(`no key: ${text.slice(0, 50)}`, async () => assert.deepEqual(await sure(text), []))
}

test('talk about a key is noted, and too unsure to refuse', async () => {
  const findings = await inspectText(step, 'A PEM file starts with -----BEGIN PRIVATE KEY----- and ends with a footer.')
  assert.deepEqual(
    findings.map(({ kind, confidence }) => [kind, confidence]),
    [['secret.private_key', 0.4]],
  )
})

test('every string of a call is looked through', async () => {
  const body = { messages: [{ role: 'tool', content: [{ type: 'text', text: key }] }], metadata: { [key]: 1 } }
  const findings = await step.inspect(callOf(body), undefined as never)
  assert.deepEqual(
    // A long key is a hash in its pointer.
    findings.map(({ pointer }) => pointer.slice(0, 12)),
    ['/messages/0/', '/metadata/~h'],
  )
})

const token = ['ghp', '_', made(36)].join('')
const PARTS: readonly (readonly [name: string, parts: readonly string[]])[] = [
  ['a token in three', [token.slice(0, 9), token.slice(9, 20), token.slice(20)]],
  ['a token in pieces of five', token.match(/.{1,5}/g) ?? []],
  ['a token with invisible characters', [`${token.slice(0, 9)}\u200b`, `\u200b${token.slice(9)}`]],
  [
    'a token in base64',
    [
      Buffer.from(`my ${token} please`).toString('base64').slice(0, 30),
      Buffer.from(`my ${token} please`).toString('base64').slice(30),
    ],
  ],
  ['a key in pieces of twenty', key.match(/[\s\S]{1,20}/g) ?? []],
  ['a key by line', key.split('\n')],
]
for (const [name, parts] of PARTS) {
  test(`in the parts of a message: ${name}`, async () => {
    const content = parts.map((text) => ({ type: 'text', text }))
    const findings = await step.inspect(callOf({ messages: [{ role: 'user', content }] }), undefined as never)
    const pointers = new Set(findings.filter(({ confidence }) => confidence >= 0.5).map(({ pointer }) => pointer))
    assert.equal(pointers.size, parts.length)
  })
}
