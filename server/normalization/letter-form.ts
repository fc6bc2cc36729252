/**
 * What each character is to a reader: seen or not, itself, or a form of an ASCII one; and which. The tables are Unicode's.
 */
import { LETTER_FORMS } from './letter-form-table.ts'

/**
 * `invisible`: without width or meaning of its own. `mark`: a mark that belongs to a script. `form`: stands for ASCII
 * wherever it is. `composed`: a Latin letter with marks. `alike`: a letter of a script that looks like a Latin one.
 * `sign`: a sign that looks like an ASCII one.
 */
export const CHARACTER = { plain: 0, invisible: 1, mark: 2, form: 3, composed: 4, alike: 5, sign: 6 } as const

/** One of them. */
export type CharacterClass = (typeof CHARACTER)[keyof typeof CHARACTER]

/**
 * Unicode's Default_Ignorable_Code_Point, marks of no script, controls but those of lines, separators of lines that are
 * none, private and broken characters.
 */
const INVISIBLE = [
  '[\\p{Default_Ignorable_Code_Point}\\p{Co}\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u0300-\\u036f\\u0483-\\u0489',
  '\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u2028\\u2029\\u20d0-\\u20ff\\u2800\\ufe20-\\ufe2f\\ufff0-\\ufffd]',
].join('')

/** The class of each code unit that is a character. */
const UNIT_CLASS = unitClasses()

/** The classes and texts of characters that stand for ASCII. */
const FORMS: ReadonlyMap<number, Readonly<{ characterClass: CharacterClass; ascii: string }>> = new Map(
  allForms().map(([code, characterClass, ascii]) => [code, { characterClass, ascii }]),
)

function allForms(): readonly (readonly [code: number, characterClass: CharacterClass, ascii: string])[] {
  const { anywhere, composed, amongLatin, between } = LETTER_FORMS
  return (
    [
      [anywhere, CHARACTER.form],
      [composed, CHARACTER.composed],
      [amongLatin, CHARACTER.alike],
      [between, CHARACTER.sign],
    ] as const
  ).flatMap(([forms, characterClass]) =>
    forms.flatMap(([ascii, characters]) =>
      [...characters].map((each) => [each.codePointAt(0) as number, characterClass, ascii] as const),
    ),
  )
}

function unitClasses(): Uint8Array {
  const classes = new Uint8Array(0x10000)
  const units = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code))
  const rest = Array.from({ length: 0x2000 }, (_, index) => String.fromCharCode(0xe000 + index))
  const all = [...units, ...rest].join('')
  for (const { 0: mark } of all.matchAll(/\p{M}/gu)) classes[mark.charCodeAt(0)] = CHARACTER.mark
  for (const { 0: unseen } of all.matchAll(new RegExp(INVISIBLE, 'gu')))
    classes[unseen.charCodeAt(0)] = CHARACTER.invisible
  for (const [code, characterClass] of allForms()) if (code < 0x10000) classes[code] = characterClass
  return classes
}

/** The class of a code unit, where no half of a pair is meant. */
export function classOfUnit(unit: number): CharacterClass {
  return UNIT_CLASS[unit] as CharacterClass
}

/** Invisible characters of the higher planes: signs of shorthand and of notes; tags, selectors and private ones. */
function isInvisiblePair(code: number): boolean {
  return code >= 0xe0000 || (code >= 0x1d173 && code <= 0x1d17a) || (code >= 0x1bca0 && code <= 0x1bca3)
}

/** The class of a character, by its code point. */
export function classOf(code: number): CharacterClass {
  if (code < 0x10000) return classOfUnit(code)
  return isInvisiblePair(code) ? CHARACTER.invisible : (FORMS.get(code)?.characterClass ?? CHARACTER.plain)
}

/** What a character stands for in ASCII; itself when that is nothing. */
export function asciiOf(code: number): string {
  return FORMS.get(code)?.ascii ?? String.fromCodePoint(code)
}
