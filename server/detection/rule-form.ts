/** Forms of rules: what stands around the pattern that a rule writes, so that no rule repeats it. */
import type { Trigger } from './rule.ts'

/** How a form completes a pattern, and its flags beside those of the rule. */
type Form = Readonly<{
  about: string
  trigger: Trigger
  flags: string
  hasLabel?: boolean
  complete: (pattern: string, label: string) => string
}>

/** Between two words: blanks, line ends, quotes, punctuation, emphasis. No character of it belongs to a word. */
export const WORD_GAP = '[\\s"\'*,.:;()\\[\\]<>«»“”‘/\\\\-]'

const FILLER = `(?:[ '"(]{0,3}(?:number|no|nr|num|nummer|id|is|was|num[ée]ro)(?![\\w])\\.?){0,3}`

/** All forms by their names. */
export const FORMS = {
  plain: {
    about: 'The pattern as it is; it looks around itself by itself.',
    trigger: 'keyword',
    flags: 'dy',
    complete: (pattern) => pattern,
  },
  token: {
    about: 'No letter or digit on its left. The pattern is its shortest form; `extend` says how it goes on.',
    trigger: 'keyword',
    flags: 'dy',
    complete: (pattern) => `(?<![A-Za-z0-9])(?:${pattern})`,
  },
  whole_token: {
    about: 'No letter or digit on either side: a token of a fixed length.',
    trigger: 'keyword',
    flags: 'dy',
    complete: (pattern) => `(?<![A-Za-z0-9])(?:(?:${pattern})(?![A-Za-z0-9]))`,
  },
  word: {
    about: 'No letter, digit or underscore on either side.',
    trigger: 'keyword',
    flags: 'dy',
    complete: (pattern) => `(?<![\\w])(?:${pattern})(?![\\w])`,
  },
  labelled_number: {
    about: '`label` as whole words, at most 24 characters without a digit, then the value. The span is the value.',
    trigger: 'keyword',
    flags: 'diy',
    hasLabel: true,
    complete: (pattern, label) => `(?<![\\w])(?:${label})(?!\\w)[^\\n\\d]{0,24}(${pattern})(?![\\w])(?![.-]\\d)`,
  },
  labelled_code: {
    about: 'The same for values that begin with letters: only filler words may be in between.',
    trigger: 'keyword',
    flags: 'diy',
    hasLabel: true,
    complete: (pattern, label) => `(?<![\\w])(?:${label})(?!\\w)${FILLER}[\\s"':#=)]{0,4}(${pattern})(?![\\w-])`,
  },
  number: {
    about: 'Tried at the first digit of a number whose first group has `digits` digits; needs no keyword.',
    trigger: 'number',
    flags: 'dy',
    complete: (pattern) => pattern,
  },
  phone: {
    about: 'Tried at a digit that seven digits follow soon; of several rules the first one counts.',
    trigger: 'phone',
    flags: 'diy',
    complete: (pattern) => pattern,
  },
  phrase: {
    about:
      'Whole words. A blank is up to four blanks, quotes or punctuation marks; `@3 ` is up to three words of any kind.',
    trigger: 'phrase',
    flags: 'gi',
    complete: (pattern) => `(?<!\\w)(?:${withGaps(pattern)})(?!\\w)`,
  },
  marker: {
    about: 'A phrase whose blanks are blanks, and that words may touch.',
    trigger: 'phrase',
    flags: 'gi',
    complete: (pattern) => pattern,
  },
  exact_marker: {
    about: 'A marker in exactly these letters: `[INST]`, not `[inst]`.',
    trigger: 'phrase',
    flags: 'g',
    complete: (pattern) => pattern,
  },
} as const satisfies Record<string, Form>

/** The name of a form. */
export type FormName = keyof typeof FORMS

/** The form of a name. */
export function formOf(name: FormName): Form {
  return FORMS[name]
}

function withGaps(pattern: string): string {
  return pattern.replace(/@(\d) /g, (_, most) => `(?:\\w{1,18} ){0,${most}}?`).replaceAll(' ', `${WORD_GAP}{1,4}`)
}
