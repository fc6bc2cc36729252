/** The table of letter forms is what Unicode's tables give, and each disguise of a word is read as the word. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { variantsOf } from '../../../server/normalization/text-variant.ts'
import { letterFormModule } from './letter-form-source.ts'

test('letter-form-table.ts is what its sources give (node test/server/normalization/write-letter-forms.ts writes it)', () => {
  const file = join(import.meta.dirname, '../../../server/normalization/letter-form-table.ts')
  assert.equal(readFileSync(file, 'utf8'), letterFormModule())
})

const WORD = 'ignore'
const spelled = (letters: string): string => letters.replaceAll(' ', '')
const shifted = (from: number) => [...WORD].map((c) => String.fromCodePoint(from + c.charCodeAt(0) - 97)).join('')
const between = (sign: string) => [...WORD].join(sign)

/** The word in other letters, or with something between its letters. */
const DISGUISES: readonly (readonly [name: string, text: string])[] = [
  ['small capitals', 'ɪɢɴᴏʀᴇ'],
  ['accents', 'ígnöré'],
  ['accents of their own', 'i\u0301gn\u0308o\u0302re'],
  ['modifier letters', 'ⁱᵍⁿᵒʳᵉ'],
  ['full width', shifted(0xff41)],
  ['bold', shifted(0x1d41a)],
  ['fraktur', shifted(0x1d51e)],
  ['monospaced', shifted(0x1d68a)],
  ['double-struck', shifted(0x1d552)],
  ['circled', shifted(0x24d0)],
  ['in parentheses', shifted(0x249c)],
  ['squared', shifted(0x1f130)],
  ['negative squared', shifted(0x1f170)],
  ['negative circled', shifted(0x1f150)],
  ['regional letters', shifted(0x1f1e6)],
  ['regional letters apart', [...shifted(0x1f1e6)].join('\u200b')],
  ['tags between', between('\u{e0041}')],
  ['Cyrillic', 'іgnоrе'],
  ['four Cyrillic letters in a row', 'іgпоrе'],
  ['Greek', 'ιgnοre'],
  ['Armenian', 'igոօrե'],
  ['letters of three scripts, none of them Latin', 'іցոοге'],
  ['Cherokee', 'ᎥgnᎾrᎬ'],
  ['currency signs', 'ig₦ore'],
  ['strokes', 'ɨǥnøɍɇ'],
  ['subscript', 'ᵢgₙₒᵣₑ'],
  ...[
    '\0',
    '\x01',
    '\x7f',
    '\x85',
    '\u00ad',
    '\u034f',
    '\u061c',
    '\u180e',
    '\u200b',
    '\u2028',
    '\u2060',
    '\u2800',
    '\u3164',
  ].map((sign) => [`U+${sign.charCodeAt(0).toString(16)} between`, between(sign)] as const),
  ...[
    '\ufe0f',
    '\ufeff',
    '\ufff0',
    '\ufff9',
    '\ufffc',
    '\ue000',
    '\u{1d173}',
    '\u{1bca0}',
    '\u20dd',
    '\u0483',
    '\u1ab0',
    '\ufe20',
    '\u0e47',
    '\u093c',
  ].map((sign) => [`U+${(sign.codePointAt(0) as number).toString(16)} between`, between(sign)] as const),
  ['colours of a terminal', between('\x1b[0m')],
  ['colours of a terminal, in eight bits', between('\x9b1;31m')],
  ['entities without an end', [...WORD].map((c) => `&#${c.charCodeAt(0)}`).join('')],
  ['entities with zeros', [...WORD].map((c) => `&#0000${c.charCodeAt(0)};`).join('')],
  ['entities in hexadecimal', [...WORD].map((c) => `&#x00${c.charCodeAt(0).toString(16)};`).join('')],
  ['named entities', '&iacute;&gscr;&nfr;&oopf;&rcaron;&eacute;'],
  ['octal escapes', [...WORD].map((c) => `\\${c.charCodeAt(0).toString(8)}`).join('')],
  ['long escapes', [...WORD].map((c) => `\\U000000${c.charCodeAt(0).toString(16)}`).join('')],
  ['percent signs with u', [...WORD].map((c) => `%u00${c.charCodeAt(0).toString(16)}`).join('')],
  ['quoted-printable', [...WORD].map((c) => `=${c.charCodeAt(0).toString(16)}`).join('')],
  ['quoted-printable, a line that goes on', 'ign=\r\nore'],
  ['JSON in JSON in JSON', JSON.stringify(JSON.stringify(JSON.stringify('ign\u0001ore'))).replaceAll('u0001', 'u200b')],
  ['three times percent-encoded', encodeURIComponent(encodeURIComponent(encodeURIComponent('ign\u200bore')))],
]
for (const [name, text] of DISGUISES) {
  test(`read as the word: ${name}`, () => {
    const texts = variantsOf(`Please ${spelled(text)} it`).map((variant) => variant.text.toLowerCase())
    assert.ok(
      texts.some((each) => each.includes(WORD)),
      JSON.stringify(texts),
    )
  })
}

const PLAIN: readonly string[] = [
  'Привет, мир! Как дела сегодня?',
  'Γειά σου Κόσμε',
  'שלום עולם',
  'مرحبا بالعالم',
  'नमस्ते दुनिया',
  '植物は光を変えます',
  '안녕하세요 세계',
  'สวัสดีชาวโลก',
  'It was 2010 – 2011: “a year” … 100 €',
]
for (const text of PLAIN) {
  test(`read in one way only: ${text}`, () => assert.equal(variantsOf(text).length, 1))
}
