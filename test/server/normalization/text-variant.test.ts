/** variantsOf peels off escapes, disguises and encodings, and everything in them points back at what stands in the text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { encodedRuns, pendingRunStart } from '../../../server/normalization/encoded-text.ts'
import { normalize } from '../../../server/normalization/normalization.ts'
import { holdFrom } from '../../../server/normalization/pending-variant.ts'
import { variantsOf } from '../../../server/normalization/text-variant.ts'
import { made } from '../rules/fixture.ts'

const SURFACES: readonly (readonly [text: string, plain: string])[] = [
  ['a%41b', 'aAb'],
  ['%e2%82%ac %C3%A9', '€ é'],
  ['a\\u0041\\x42\\n\\t\\"\\\\', 'aAB\n\t"\\'],
  ['\\u{1F511}', '🔑'],
  ['&lt;b&#62;&#x41;&amp;', '<b>A&'],
  ['p\u200ba\u2060s\u00ads', 'pass'],
  ['i\u0307gn\u0300ore', 'ignore'],
  ['ｆｕｌｌ', 'full'],
  ['𝐛𝐨𝐥𝐝', 'bold'],
  ['ⓒⓘⓡⓒ', 'circ'],
  ['ignоrе', 'ignore'],
  ['٤١١١', '4111'],
  ['x\udb40\udc41y', 'xy'],
]
for (const [text, plain] of SURFACES)
  test(`surface of ${JSON.stringify(text)}`, () => assert.equal(normalize(text)?.text, plain))

for (const text of [
  'plain text, 100 % sure & done',
  'Привет',
  'C:/dir',
  'café “quoted” – done',
  '%zz &nothing; \\q',
  '',
]) {
  test(`nothing to resolve in ${JSON.stringify(text)}`, () => assert.equal(normalize(text), undefined))
}

test('each character of a surface points at what it came from', () => {
  const { text, span } = normalize('ab%41%42c\u200bd') ?? assert.fail()
  assert.equal(text, 'abABcd')
  const rows: readonly (readonly [number, number, number, number])[] = [
    [0, 1, 0, 1],
    [2, 3, 2, 5],
    [2, 4, 2, 8],
    [3, 5, 5, 9],
    [4, 6, 8, 11],
    [0, 6, 0, 11],
  ]
  for (const [start, end, from, to] of rows) assert.deepEqual(span(start, end), [from, to], `${start} ${end}`)
})

test('far from anything odd a surface leaves text out, and still points right', () => {
  const { text, span } = normalize(`${'x'.repeat(5000)}%41${'y'.repeat(5000)}`) ?? assert.fail()
  assert.ok(text.length < 2000)
  const at = text.indexOf('A')
  assert.deepEqual(span(at, at + 1), [5000, 5003])
  const last = text.length
  assert.deepEqual(span(last - 1, last), [10_002, 10_003])
})

const SECRET = 'the launch code is 7351 and nothing else'
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const bitsOf = (text: string): string =>
  [...Buffer.from(text)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
const base32 = (text: string): string =>
  (bitsOf(text).match(/.{1,5}/g) ?? [])
    .map((bits) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Number.parseInt(bits.padEnd(5, '0'), 2)))
    .join('')
const RFC1924 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~'
const in85 = (text: string, digit: (value: number) => string): string =>
  (text.padEnd(Math.ceil(text.length / 4) * 4).match(/[\s\S]{4}/g) ?? [])
    .map((four) => {
      const value = Buffer.from(four).readUInt32BE()
      return [4, 3, 2, 1, 0].map((power) => digit(Math.floor(value / 85 ** power) % 85)).join('')
    })
    .join('')
const base85 = (text: string): string => in85(text, (value) => RFC1924.charAt(value))
const ascii85 = (text: string): string => in85(text, (value) => String.fromCharCode(33 + value))
const ENCODED: readonly (readonly [name: string, text: string])[] = [
  ['base64', base64(SECRET)],
  ['base64url', Buffer.from(`${SECRET}???>>>`).toString('base64url')],
  ['base64 in lines', (base64(SECRET.repeat(3)).match(/.{1,60}/g) ?? []).join('\r\n  ')],
  ['base64 behind letters', `ab${base64(SECRET)}`],
  ['base64 twice', base64(base64(SECRET))],
  ['hexadecimal', Buffer.from(SECRET).toString('hex')],
  ['binary', [...SECRET].map((c) => c.charCodeAt(0).toString(2).padStart(8, '0')).join(' ')],
  ['base64 three times', base64(base64(base64(SECRET)))],
  ['percent signs in base64', base64(encodeURIComponent(SECRET))],
]
for (const [name, encoded] of ENCODED) {
  test(`what ${name} says is read, and points at all of it`, () => {
    const reading = variantsOf(`see: "${encoded}".`).find(({ text }) => text.includes(SECRET))
    assert.deepEqual(reading?.span(3, 5), [6, 6 + encoded.length])
    assert.equal(reading?.isVisible, false)
  })
}

const gzip = base64(gzipSync(SECRET))
const wide = Buffer.from(SECRET, 'utf16le')
/** Compressed, in two bytes a character, in base32: in streams, too. */
const PACKED: readonly (readonly [name: string, text: string])[] = [
  ['gzip', gzip],
  ['gzip behind letters', `abc${gzip}`],
  ['gzip twice in base64', base64(gzip)],
  ['gzip in hexadecimal', gzipSync(SECRET).toString('hex')],
  ['zlib', base64(deflateSync(SECRET))],
  ['UTF-16, as PowerShell takes it', base64(wide)],
  ['UTF-16 of the other order', base64(Buffer.from(wide).swap16())],
  ['UTF-16 behind its mark', base64(Buffer.concat([Buffer.from([0xff, 0xfe]), wide]))],
  ['base32', base32(SECRET)],
  ['base32 in small letters', base32(SECRET).toLowerCase()],
]
for (const [name, encoded] of PACKED) {
  test(`what ${name} says is read, and points at all of it`, () => {
    const reading = variantsOf(`see: "${encoded}".`).find(({ text }) => text.includes(SECRET))
    assert.deepEqual(reading?.span(3, 5), [6, 6 + encoded.length])
  })
}

const codes = [...Buffer.from(SECRET)]
const hexadecimal = codes.map((code) => code.toString(16).padStart(2, '0'))
const inPieces = (chars: number, gap: string): string =>
  (base64(SECRET).match(new RegExp(`.{1,${chars}}`, 'g')) ?? []).join(gap)
/** Read where all of a text is there. */
const LISTED: readonly (readonly [name: string, text: string])[] = [
  ['hexadecimal with blanks', hexadecimal.join(' ')],
  ['hexadecimal with colons', hexadecimal.join(':')],
  ['hexadecimal with hyphens', hexadecimal.join('-')],
  ['hexadecimal of a program', hexadecimal.map((code) => `0x${code}`).join(', ')],
  ['a dump', (hexadecimal.join('').match(/.{1,4}/g) ?? []).join(' ')],
  ['decimal numbers', codes.join(' ')],
  ['a list of numbers', `[${codes.join(', ')}]`],
  ['calls of chr', codes.map((code) => `chr(${code})`).join(' + ')],
  ['a call of fromCharCode', `String.fromCharCode(${codes.join(',')})`],
  ['octal numbers', codes.map((code) => code.toString(8).padStart(3, '0')).join(' ')],
  ['base64 in lines of 10', inPieces(10, '\n')],
  ['base64 in lines of 20', inPieces(20, '\r\n    ')],
  ['base64 in groups of 4', inPieces(4, ' ')],
  ['base64 in groups of 8', inPieces(8, ' ')],
  ['deflate alone', base64(deflateRawSync(SECRET))],
  ['base85 of Python and Git', base85(SECRET)],
  ['base85 of Adobe', `<~${ascii85(SECRET)}~>`],
]
for (const [name, encoded] of LISTED) {
  test(`where nothing follows, what ${name} say is read`, () => {
    const text = `see: ${encoded} .`
    assert.ok(!variantsOf(text).some((variant) => variant.text.includes(SECRET)))
    const reading = variantsOf(text, [], 'request').find((variant) => variant.text.includes(SECRET))
    const [start, end] = reading?.span(3, 5) ?? assert.fail('not read')
    assert.ok(start >= 5 && start <= 30 && end >= text.length - 6, `${start} ${end} of ${text.length}`)
  })
}

test('what would be too large unpacked is not unpacked', () => {
  const bomb = base64(gzipSync(Buffer.alloc(64 * 1024 * 1024, 'a')))
  assert.ok(variantsOf(`${bomb} `.repeat(3), [], 'request').every(({ text }) => text.length < 1_000_000))
})

test('numbers, tables, hashes and code are no lists of characters', () => {
  const text = [
    '| 12 | 45 | 78 | 33 |\n| 10 | 20 | 30 | 40 |\n'.repeat(8),
    'const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]',
    'getUserById(userId) setUserById(userId, newUserName) someOtherName anotherOneHere',
    Array.from({ length: 9 }, (_, index) => made(40, 'hex', index)).join('\n'),
    '2026-01-02 2026-01-03 2026-01-04 2026-01-05 10:11:12 10:11:13',
  ].join('\n')
  assert.equal(variantsOf(text, [], 'request').length, 1)
})

test('what is encoded four times is not read', () => {
  assert.ok(!variantsOf(base64(base64(base64(base64(SECRET))))).some(({ text }) => text.includes(SECRET)))
})

test('hashes, identifiers, paths and words are no encoded text', () => {
  const text = `${made(64, 'hex')} ${made(44, 'base64')} src/server/core/encoded/run/index file-name-with-many-hyphens-in-it antidisestablishmentarianism`
  assert.deepEqual(encodedRuns(text), [])
  assert.equal(variantsOf(text).length, 1)
})

const HOLDS: readonly (readonly [name: string, text: string, reach: number, from: number])[] = [
  ['plain text', 'x '.repeat(50), 10, 90],
  ['shorter than the reach', 'abc', 10, 0],
  ['escapes count as one', `${'x '.repeat(50)}${'\\u0041'.repeat(10)}`, 10, 100],
  ['invisible characters count for nothing', `${'x '.repeat(50)}${'\u200b'.repeat(40)}`, 10, 90],
  ['an open run is held as a whole', `words and ${'QUJD'.repeat(100)}`, 10, 10],
  ['a run that is over is not', `${'QUJD'.repeat(100)} and more words`, 10, 405],
  ['octets', `so ${'01000001 '.repeat(20)}`, 10, 3],
]
for (const [name, text, reach, from] of HOLDS)
  test(`held back: ${name}`, () => assert.equal(holdFrom(text, reach), from))

test('the start of an open run', () => {
  const line = 'QUJD'.repeat(19)
  for (const [text, start] of [
    [`a ${line}`, 2],
    [`a ${line}\n`, 2],
    [`a ${line}\n${line}`, 2],
    [`a ${line}. b`, 80],
    ['a. ', 3],
  ] as const) {
    assert.equal(pendingRunStart(text), start, JSON.stringify(text))
  }
})
