/** Escapes of programs, markup, addresses and mail: how each is written, and what it stands for. */

/** Names of HTML, by the ASCII signs and blanks that they stand for; the last ones for nothing that is seen. */
const NAMED: ReadonlyMap<string, string> = new Map(
  (
    [
      ['<', 'lt LT'],
      ['>', 'gt GT'],
      ['&', 'amp AMP'],
      ['"', 'quot QUOT'],
      ["'", 'apos'],
      ['!', 'excl'],
      ['#', 'num'],
      ['$', 'dollar'],
      ['%', 'percnt'],
      ['(', 'lpar'],
      [')', 'rpar'],
      ['*', 'ast midast'],
      ['+', 'plus'],
      [',', 'comma'],
      ['-', 'hyphen dash'],
      ['.', 'period'],
      ['/', 'sol'],
      [':', 'colon'],
      [';', 'semi'],
      ['=', 'equals'],
      ['?', 'quest'],
      ['@', 'commat'],
      ['[', 'lsqb lbrack'],
      ['\\', 'bsol'],
      [']', 'rsqb rbrack'],
      ['^', 'Hat'],
      ['_', 'lowbar UnderBar'],
      ['`', 'grave DiacriticalGrave'],
      ['{', 'lcub lbrace'],
      ['|', 'verbar vert VerticalLine'],
      ['}', 'rcub rbrace'],
      [' ', 'nbsp NonBreakingSpace ensp emsp thinsp'],
      ['\t', 'Tab'],
      ['\n', 'NewLine'],
      ['fj', 'fjlig'],
      ['', 'shy zwnj zwj NoBreak ZeroWidthSpace'],
    ] as const
  ).flatMap(([sign, names]) => names.split(' ').map((name) => [name, sign] as const)),
)

/** A letter with a mark, or in another type: the letter. */
const LETTER_NAME =
  /^([A-Za-z])(?:acute|breve|caron|cedil|circ|dot|fr|grave|macr|ogon|opf|ring|scr|slash|strok|tilde|uml)$/

const QUOTED = '=[0-9A-Fa-f]{2}'

/** One group each: percent signs, backslashes, entities of HTML, quoted-printable (three in a row; `=3D`; a line that goes on). */
export const ESCAPE_SOURCES: readonly string[] = [
  '%(u[0-9a-fA-F]{4}|[0-7][0-9a-fA-F]|[c-fC-F][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){1,3})',
  '\\\\(u[0-9a-fA-F]{4}|u\\{[0-9a-fA-F]{1,12}\\}|N\\{LATIN (?:SMALL|CAPITAL) LETTER [A-Z]\\}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-3][0-7]{2}|[nrtbf"\'\\\\\\/])',
  '&(?:(#0{0,16}\\d{2,7}|#[xX]0{0,16}[0-9a-fA-F]{2,6}|[A-Za-z]{2,20}(?=;)|(?:amp|gt|lt|nbsp|quot)(?![A-Za-z0-9])));?',
  `=(3D|\\r?\\n|[0-7][0-9A-Fa-f](?:(?=${QUOTED}${QUOTED})|(?<=${QUOTED}${QUOTED}${QUOTED})|(?<=${QUOTED}${QUOTED})(?=${QUOTED})))`,
]

/** The start of an escape at the end of a text. */
export const PARTIAL_ESCAPE =
  /(?:%[0-9a-zA-Z%]{0,11}|\\(?:N\{?[A-Z ]{0,22}|[0-9a-zA-Z{]{0,15})|&[#0-9A-Za-z]{0,26}|(?:=[0-9A-Fa-f]{0,2}){1,3}|=\r)$/

/** The longest escape. */
export const ESCAPE_CHARS_MAX = 32

const BACKSLASH: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
const CODE_POINT_MAX = 0x10ffff

/** What the escape stands for whose group took part; undefined where it stays. */
export function unescaped(
  percent: string | undefined,
  backslash: string | undefined,
  entity: string | undefined,
  quoted: string | undefined,
): string | undefined {
  if (percent !== undefined) {
    if (percent.startsWith('u')) return characterOf(percent.slice(1), 16)
    return percentDecoded(percent)
  }
  if (backslash !== undefined) {
    if (backslash.startsWith('N')) return namedLetter(backslash)
    if (/^\d/.test(backslash)) return characterOf(backslash, 8)
    if (/^[uUx]/.test(backslash)) return characterOf(backslash.slice(backslash.charAt(1) === '{' ? 2 : 1), 16)
    return BACKSLASH[backslash] ?? backslash
  }
  if (entity !== undefined) return entityText(entity)
  if (quoted !== undefined) return /^\s/.test(quoted) ? '' : characterOf(quoted, 16)
  return undefined
}

/** Python's names: `N{LATIN SMALL LETTER A}`. */
function namedLetter(name: string): string {
  const letter = name.charAt(name.length - 2)
  return name.includes('SMALL') ? letter.toLowerCase() : letter
}

/** One byte of ASCII, as nearly all are, costs a tenth of a sequence. */
function percentDecoded(percent: string): string {
  if (percent.length > 2) return Buffer.from(percent.replaceAll('%', ''), 'hex').toString()
  return String.fromCharCode(Number.parseInt(percent, 16))
}

function entityText(entity: string): string | undefined {
  if (!entity.startsWith('#')) return NAMED.get(entity) ?? LETTER_NAME.exec(entity)?.[1]
  return /^#x/i.test(entity) ? characterOf(entity.slice(2), 16) : characterOf(entity.slice(1), 10)
}

function characterOf(digits: string, base: number): string | undefined {
  const codePoint = Number.parseInt(digits, base)
  return codePoint <= CODE_POINT_MAX ? String.fromCodePoint(codePoint) : undefined
}
