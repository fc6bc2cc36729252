/**
 * Normalizes a text to what its reader sees: escapes resolved, invisible characters removed, confusables replaced by
 * the Latin letters that they look like. The result maps back to the original, so that findings can point at it.
 */

import { EditableText, type EditedText } from './edited-text.ts'

/**
 * Characters without width or meaning of their own (Unicode Default_Ignorable_Code_Point, and combining marks of
 * zalgo).
 */
export const INVISIBLE =
  '\\u00ad\\u0300-\\u036f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0'

/** Surrogate pairs of U+E0000 to U+E0FFF: tags, and the variation selectors 17 to 256. */
const INVISIBLE_PAIR = '\\udb40[\\udc00-\\udfff]'

/** Letters of other scripts that look like Latin ones (a selection of Unicode TR39's confusables), and Latin variants. */
const CONFUSABLES: Readonly<Record<string, string>> = Object.fromEntries(
  `аa вb еe ёe іi їi јj кk оo рp сc ѕs тt уy хx һh ԁd ԛq ԝw ьb пn АA ВB ЕE ІI ЈJ КK МM НH ОO РP СC ЅS ТT УY ХX ԌG
  αa βb γy εe ηn ιi κk νv οo ρp τt υu χx ωw ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ɡg ɑa ıi ɩi ʏy ʀr ʟl ᴀa ᴄc ᴅd
  ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz`
    .split(/\s+/)
    .map((pair) => [pair.slice(0, -1), pair.slice(-1)]),
)

const CONFUSABLE = `[${Object.keys(CONFUSABLES).join('')}]`

/** Compatibility forms that NFKC turns into ASCII: full width, mathematical, circled, superscript, ligatures, squared. */
const COMPATIBILITY_FORM =
  '[\\u00aa\\u00b2\\u00b3\\u00b9\\u00ba\\u2070-\\u209c\\u2100-\\u214f\\u2160-\\u217f\\u2460-\\u24ea\\ufb00-\\ufb06\\ufe30-\\ufe6b\\uff01-\\uff5e]|\\ud835[\\udc00-\\udfff]|\\ud83c[\\udd00-\\udd6f]'

/** Groups: 1 percent, 2 backslash, 3 entity. */
const ESCAPE_SOURCES = [
  '(%[0-7][0-9a-fA-F]|%[c-fC-F][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){1,3})',
  '\\\\(u[0-9a-fA-F]{4}|u\\{[0-9a-fA-F]{1,6}\\}|x[0-9a-fA-F]{2}|[nrtbf"\'\\\\/])',
  '&(#\\d{2,7}|#[xX][0-9a-fA-F]{2,6}|lt|gt|amp|quot|apos|nbsp);',
]

/** The same, and 4 invisible, 5 compatibility form, 6 other digits; else a confusable among Latin letters. */
const CONFUSABLE_SOURCES = [
  `((?:[${INVISIBLE}]|${INVISIBLE_PAIR})+)`,
  `(${COMPATIBILITY_FORM})`,
  '([\\u0660-\\u0669\\u06f0-\\u06f9\\u0966-\\u096f])',
  `(?<=[A-Za-z0-9]${CONFUSABLE}?)${CONFUSABLE}|${CONFUSABLE}(?=${CONFUSABLE}?[A-Za-z0-9])`,
]

const ESCAPES = new RegExp(ESCAPE_SOURCES.join('|'), 'g')
const ESCAPES_AND_CONFUSABLES = new RegExp([...ESCAPE_SOURCES, ...CONFUSABLE_SOURCES].join('|'), 'g')
/** Any character that ESCAPES_AND_CONFUSABLES handles beyond escapes. */
const HAS_CONFUSABLE = new RegExp(
  `[${INVISIBLE}]|${CONFUSABLE}|[\\udb40\\u0660-\\u0669\\u06f0-\\u06f9\\u0966-\\u096f]|${COMPATIBILITY_FORM}`,
)

/** Unchanged text farther than this from a change is omitted: no match that the change reveals reaches it. */
const CONTEXT_CHARS = 300

const BACKSLASH: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
const ENTITY: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' }
const CODE_POINT_MAX = 0x10ffff

/**
 * Returns the normalized text, or undefined when nothing changes; ranges far from any change are omitted. One pass:
 * an escape within an escape needs another. The result at an index depends on at most the ten characters around it.
 */
export function normalize(text: string): EditedText | undefined {
  const expression = HAS_CONFUSABLE.test(text) ? ESCAPES_AND_CONFUSABLES : ESCAPES
  const edit = new EditableText(text, CONTEXT_CHARS)
  expression.lastIndex = 0
  for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
    const replacement = replacementOf(match)
    if (replacement !== undefined) edit.replace(match.index, match.index + match[0].length, replacement)
  }
  return edit.finish()
}

/** The replacement of one match; undefined where it stays. */
function replacementOf(match: RegExpExecArray): string | undefined {
  const [matched, percent, backslash, entity, invisible, compatible, digit] = match
  if (percent !== undefined) return percentDecoded(percent)
  if (backslash !== undefined) {
    if (!/^[ux]/.test(backslash)) return BACKSLASH[backslash] ?? backslash
    return characterOf(Number.parseInt(backslash.slice(backslash.charAt(1) === '{' ? 2 : 1), 16))
  }
  if (entity !== undefined) {
    if (entity[0] !== '#') return ENTITY[entity]
    return characterOf(Number(entity[1]?.toLowerCase() === 'x' ? `0x${entity.slice(2)}` : entity.slice(1)))
  }
  if (invisible !== undefined) return ''
  if (compatible !== undefined) return compatible.normalize('NFKC')
  if (digit !== undefined) return String((digit.charCodeAt(0) - (digit < '\u0966' ? 0x660 : 0x966)) % 16)
  return CONFUSABLES[matched]
}

/** One byte of ASCII, as nearly all are, costs a tenth of a sequence. */
function percentDecoded(percent: string): string {
  if (percent.length > 3) return Buffer.from(percent.replaceAll('%', ''), 'hex').toString()
  return String.fromCharCode(Number.parseInt(percent.slice(1), 16))
}

function characterOf(codePoint: number): string | undefined {
  return codePoint <= CODE_POINT_MAX ? String.fromCodePoint(codePoint) : undefined
}

/** Maximum length of an incomplete escape. */
const PARTIAL_ESCAPE_CHARS_MAX = 13

/** Letters that more text may turn into confusables; half of a surrogate pair. */
const UNSTABLE_END = new RegExp(`(?:${CONFUSABLE}{1,2}|[\\ud83c\\ud835\\udb40])$`)

/** Index up to which the normalized form no longer changes when more text follows; at most the text's length. */
export function stableTo(text: string): number {
  const from = Math.max(0, text.length - PARTIAL_ESCAPE_CHARS_MAX)
  let stable = text.length
  for (let index = text.length - 1; index >= from; index--) if ('%\\&'.includes(text.charAt(index))) stable = index
  if (stable === text.length) return stable - (UNSTABLE_END.exec(text.slice(-2))?.[0].length ?? 0)
  while (text[stable - 1] === '\\') stable--
  while (/^%[0-9a-fA-F]{2}$/.test(text.slice(Math.max(0, stable - 3), stable))) stable -= 3
  return stable
}
