/**
 * Works out which characters stand for ASCII ones: by Unicode's normalization forms, by its confusables (TR39, from the
 * npm package unhomoglyph), and by what neither has.
 */
import confusables from 'unhomoglyph/data.json' with { type: 'json' }

const CONFUSABLES: Readonly<Record<string, string>> = confusables

/** Small capitals, letters of phonetics and of Braille, and pairs that TR39 gives another prototype (Cyrillic у, Greek η as n). */
const PAIRS = `аa вb еe ёe іi їi јj кk оo рp сc ѕs тt уy хx һh ԁd ԛq ԝw ьb пn АA ВB ЕE ІI ЈJ КK МM НH ОO РP СC ЅS ТT УY ХX ԌG
  αa βb γy εe ηn ιi κk νv οo ρp τt υu χx ωw ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ɡg ɑa ıi ɩi ʏy ʀr ʟl ᴀa ᴄc ᴅd
  ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ʙb ꜰf ɢg ʜh ɪi ɴn ꞯq ꜱs ʟl ᴌl ᴎn ᴙr ǝe ɐa ɔc ɘe łl Łl øo Øo đd Đd ħh Ħh ŧt Ŧt ɨi ʉu
  ßss æae œoe Æae Œoe ։: 。. ｡. ժd ҽe եe ղn Թp ɾr Եt մu վy Հz ϲc ʍm իi ջj քp լl րr ₳A ฿B ₵C ₣F ₲G ⱧH ₭K ⱠL ₦N ₱P ⱤR ₴S ɄU ₩W ӾX
  ɎY ⱫZ гr цu иu ѵv мm нh яr ӏl
  ⠁a ⠃b ⠉c ⠙d ⠑e ⠋f ⠛g ⠓h ⠊i ⠚j ⠅k ⠇l ⠍m ⠝n ⠕o ⠏p ⠟q ⠗r ⠎s ⠞t ⠥u ⠧v ⠺w ⠭x ⠽y ⠵z`

/** Letters and digits in rows: the first code point, and the ASCII that the row runs through. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const DIGITS = '123456789'
const ROWS: readonly (readonly [from: number, to: string])[] = [
  [0x1f110, LETTERS],
  [0x249c, LETTERS.toLowerCase()],
  [0x1f130, LETTERS],
  [0x1f150, LETTERS],
  [0x1f170, LETTERS],
  [0x1f1e6, LETTERS],
  ...[0x2776, 0x2780, 0x278a, 0x24f5, 0x2474, 0x2488].map((from) => [from, DIGITS] as const),
]

/** Scripts that texts are written in: their letters count as look-alikes only among Latin ones. */
const WRITTEN =
  /[\p{scx=Cyrl}\p{scx=Grek}\p{scx=Armn}\p{scx=Hebr}\p{scx=Arab}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Thai}\p{scx=Laoo}\p{scx=Mymr}\p{scx=Khmr}\p{scx=Geor}\p{scx=Ethi}\p{scx=Hang}\p{scx=Hira}\p{scx=Kana}\p{scx=Hani}\p{scx=Bopo}]/u

/** Signs count where a letter or digit stands on both sides: elsewhere they are ordinary punctuation. */
const SIGNS = /^[-._/:@=+~\\]$/

/** Where characters stand for ASCII: the characters of each ASCII text. */
export type LetterForms = Readonly<Record<(typeof PLACES)[number], Readonly<Record<string, string>>>>

const PLACES = ['anywhere', 'composed', 'amongLatin', 'between'] as const

/** Latin letters with marks, which many languages are written with. */
const COMPOSED = /^[A-Za-z]\p{M}+$/u

/** Returns the table. */
export function letterForms(): LetterForms {
  const table = { anywhere: {}, composed: {}, amongLatin: {}, between: {} } as Record<
    keyof LetterForms,
    Record<string, string>
  >
  const pairs = handMade()
  for (let code = 0x80; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const character = String.fromCodePoint(code)
    const to = pairs.get(character) ?? asciiOf(character)
    if (to === undefined) continue
    const isLetter = /^[A-Za-z0-9]+$/.test(to)
    // Full-width and small forms of signs are forms of ASCII, whatever stands around them, and so are all digits.
    const isForm =
      to === ' ' || ((to.length === 1 || isLetter) && (character.normalize('NFKC') === to || /\p{Nd}/u.test(character)))
    const isComposed = COMPOSED.test(character.normalize('NFD'))
    const where = isComposed
      ? 'composed'
      : isForm || (isLetter && !WRITTEN.test(character))
        ? 'anywhere'
        : isLetter
          ? 'amongLatin'
          : 'between'
    if (where === 'between' && !SIGNS.test(to)) continue
    table[where][to] = (table[where][to] ?? '') + character
  }
  return table
}

function handMade(): ReadonlyMap<string, string> {
  const pairs = new Map(PAIRS.split(/\s+/).map((pair) => [pair.slice(0, 1), pair.slice(1)]))
  for (const [from, to] of ROWS)
    for (const [index, letter] of [...to].entries()) pairs.set(String.fromCodePoint(from + index), letter)
  return pairs
}

/** What a character stands for, when that is ASCII: its form, a letter without its marks, a digit, or what it looks like. */
function asciiOf(character: string): string | undefined {
  if (/\p{Zs}/u.test(character)) return ' '
  // A mark by itself is no form of anything.
  if (/[\p{M}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(character)) return undefined
  if (/\p{Nd}/u.test(character)) return String(digitOf(character))
  // Unicode's table has the capitals of Cherokee only.
  const upper = /\p{scx=Cher}/u.test(character) ? character.toUpperCase() : character
  for (const plain of [upper.normalize('NFKC'), character.normalize('NFKD').replace(/\p{M}/gu, '')]) {
    if (/^[\x21-\x7e]+$/.test(plain)) return plain
    const alike = [...plain]
      .map((each) => CONFUSABLES[each] ?? each)
      .join('')
      .replace(/\p{M}/gu, '')
    if (/^[A-Za-z0-9]{1,2}$/.test(alike) || SIGNS.test(alike)) return alike
  }
  return undefined
}

/** Digits stand in rows of ten, from 0 on. */
function digitOf(character: string): number {
  const code = character.codePointAt(0) as number
  let first = code
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--
  return (code - first) % 10
}

/** How many characters a line of the table has, about. */
const LINE_CHARS = 120

/** The text of server/normalization/letter-form-table.ts. */
export function letterFormModule(): string {
  const rows = (forms: Readonly<Record<string, string>>): string => {
    const lines = ['']
    for (const to of Object.keys(forms).sort()) {
      const entry = `[${JSON.stringify(to)}, ${JSON.stringify(forms[to])}], `
      if ((lines.at(-1) as string).length + entry.length > LINE_CHARS) lines.push('')
      lines[lines.length - 1] += entry
    }
    return lines.map((line) => `    ${line.trimEnd()}\n`).join('')
  }
  const forms = letterForms()
  return `/**
 * Characters that stand for ASCII ones, by what they stand for; test/server/normalization/write-letter-forms.ts writes it. From
 * Unicode's data files (normalization; confusables.txt): https://www.unicode.org/license.txt
 */

/** What stands for ASCII anywhere; Latin letters with marks; look-alikes among Latin letters; signs between letters or digits. */
// biome-ignore format: long texts
export const LETTER_FORMS: Readonly<
  Record<'${PLACES.join("' | '")}', readonly (readonly [ascii: string, characters: string])[]>
> = {
${PLACES.map((place) => `  ${place}: [\n${rows(forms[place])}  ],\n`).join('')}}
`
}
