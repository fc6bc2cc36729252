/** What a file of rules holds: its schema, and what each word of it means. */
import * as v from 'valibot'
import { SEVERITIES } from '../core/finding-family.ts'
import { FORMS, type FormName } from './rule-form.ts'

const NAME = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]*$/, 'a name has small letters, digits and underscores'))
const LINE = v.pipe(v.string(), v.minLength(1), v.maxLength(200, 'no line is longer than 200 characters'))
/** An expression, or its pieces in a row. */
const EXPRESSION = v.pipe(
  v.union([LINE, v.array(LINE)]),
  v.transform((pieces) => (typeof pieces === 'string' ? pieces : pieces.join(''))),
)
const EXAMPLES = v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(2, 'a rule has two examples or more'))
const NAMES = v.array(NAME)
const CONFIDENCE = v.pipe(v.number(), v.minValue(0), v.maxValue(1))

/** Of a rule, or of all rules of a file that don't say otherwise. */
const COMMON = {
  form: v.optional(v.picklist(Object.keys(FORMS) as [FormName, ...FormName[]])),
  severity: v.optional(v.picklist(SEVERITIES)),
  confidence: v.optional(CONFIDENCE),
  data_confidence: v.optional(CONFIDENCE),
  flags: v.optional(v.pipe(v.string(), v.regex(/^[iu]*$/))),
  check: v.optional(NAMES),
  extend: v.optional(v.union([NAME, v.strictObject({ while: EXPRESSION })])),
  channel: v.optional(v.picklist(['anyone', 'data'])),
  source: v.optional(LINE),
}

const RULE = v.strictObject({
  id: NAME,
  kind: v.optional(NAME),
  title: LINE,
  keywords: v.optional(v.array(v.pipe(v.string(), v.regex(/^[\x20-\x7e]+$/, 'a keyword is ASCII')))),
  label: v.optional(EXPRESSION),
  pattern: v.optional(EXPRESSION),
  digits: v.optional(v.pipe(v.string(), v.regex(/^\d+(-\d+)?( \d+(-\d+)?)*$/))),
  only: v.optional(EXPRESSION),
  unless: v.optional(EXPRESSION),
  grade: v.optional(NAME),
  probe: v.optional(NAME),
  finder: v.optional(NAME),
  ...COMMON,
  examples: v.strictObject({ match: EXAMPLES, no_match: EXAMPLES }),
})

const FILE = v.strictObject({
  family: NAME,
  let: v.optional(v.record(NAME, EXPRESSION)),
  ...COMMON,
  rules: v.pipe(v.array(RULE), v.minLength(1)),
})

/**
 * A rule. Its matches are findings of `kind` (its `id` unless it says otherwise) in the file's family, with `severity`
 * and `confidence`. `pattern` (bounded: no `*`, `+` or `{n,}`) is tried where one of `keywords` stands, in either case;
 * `form` says what is around it (rule-form.ts). `flags`: `i` for letters of either case, `u` for Unicode. The span of a
 * finding is from the first to the last group of the pattern, or all of it.
 *
 * What the pattern matched is no match when it fails a `check`, does not match `only`, or matches `unless`; `grade`
 * gives the confidence by the value. `extend` continues a match that has no longest form. `probe` is a cheap test
 * before the pattern. `digits` is for the form `number`, `label` for those with a label, `channel` for phrases (`data`:
 * they count in what tools and documents say only), `data_confidence` for how sure one is there, when it is not `confidence`. A rule with a `finder` has no pattern.
 *
 * `source` says where the form is documented. `examples` are texts in which the rule has a match, and near misses in
 * which it has none; `{alnum:36}` in them is made up when a test runs (example-text.ts).
 */
export type RuleSource = v.InferOutput<typeof RULE>

/** A file: rules of one family, `let` with fragments that patterns name (`${name}`), and what its rules have in common. */
export type RuleFile = v.InferOutput<typeof FILE>

/** Validates the content of a file. Throws with the path of what is wrong. */
export function parseRuleFile(content: unknown, name: string): RuleFile {
  const result = v.safeParse(FILE, content)
  if (result.success) return result.output
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? '(the file)'}: ${issue.message}`)
  throw new Error(`${name}: ${problems.join('; ')}`)
}
