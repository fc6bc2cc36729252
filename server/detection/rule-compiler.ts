/** Compiles files of rules: writes fragments and forms out, derives what streams need, and refuses what is not sound. */
import { partialMatchPattern } from './partial-match.ts'
import { type Alternatives, parseRegex, quantified } from './regex-syntax.ts'
import type { CompiledRule, RuleFunctions } from './rule.ts'
import type { RuleFile, RuleSource } from './rule-file.ts'
import { formOf } from './rule-form.ts'

/** Compiles the rules of a file. Throws with the id of the rule that is not sound. */
export function compileRules(file: RuleFile, functions: RuleFunctions): readonly CompiledRule[] {
  return file.rules.map((rule) => {
    try {
      return compileRule(file, rule, functions)
    } catch (cause) {
      throw new Error(`rule ${file.family}/${rule.id}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  })
}

function compileRule(file: RuleFile, rule: RuleSource, functions: RuleFunctions): CompiledRule {
  const fragments = fragmentsOf(file)
  const expand = (text: string): string => withFragments(text, fragments)
  const form = formOf(rule.form ?? file.form ?? 'plain')
  const { finder, grade, probe } = rule
  const check = rule.check ?? file.check ?? []
  const extend = rule.extend ?? file.extend
  assertKnown('check', check, functions.checks)
  assertKnown('grade', grade, functions.grades)
  assertKnown('probe', probe, functions.probes)
  assertKnown('finder', finder, functions.finders)
  if (typeof extend === 'string') assertKnown('extend', extend, functions.extends)
  if ((rule.pattern === undefined) === (finder === undefined)) throw new Error('it has a pattern or a finder')
  if ((form.hasLabel === true) !== (rule.label !== undefined)) throw new Error('a label is for forms with a label')
  if ((form.trigger === 'number') !== (rule.digits !== undefined) && finder === undefined)
    throw new Error('digits are for the form number')
  const expression = new RegExp(
    finder === undefined ? form.complete(expand(rule.pattern ?? ''), expand(rule.label ?? '')) : '(?!)',
    form.flags + (rule.flags ?? file.flags ?? '').replaceAll(form.flags.includes('i') ? 'i' : '', ''),
  )
  assertBounded(parseRegex(expression))
  const { severity = file.severity, confidence = file.confidence, only, unless } = rule
  const dataConfidence = rule.data_confidence ?? file.data_confidence
  if (severity === undefined || confidence === undefined) throw new Error('it has no severity or no confidence')
  if ((rule.source ?? file.source) === undefined) throw new Error('it has no source')
  return {
    id: `${file.family}/${rule.id}`,
    kind: `${file.family}.${rule.kind ?? rule.id}`,
    severity,
    confidence,
    trigger: form.trigger,
    keywords: rule.keywords ?? [],
    pattern: expression.source,
    flags: expression.flags,
    ...(form.trigger === 'phrase' ? {} : { partial: partialMatchPattern(expression).source }),
    ...(rule.digits === undefined ? {} : { digits: numbersOf(rule.digits) }),
    ...(check.length === 0 || grade !== undefined ? {} : { check }),
    ...(only === undefined ? {} : { only: new RegExp(expand(only)).source }),
    ...(unless === undefined ? {} : { unless: new RegExp(expand(unless)).source }),
    ...(grade === undefined ? {} : { grade }),
    ...(probe === undefined ? {} : { probe }),
    ...(finder === undefined ? {} : { finder }),
    ...extendMember(extend, expand),
    ...(form.trigger === 'phrase' ? { channel: rule.channel ?? file.channel ?? 'anyone' } : {}),
    ...(dataConfidence === undefined ? {} : { data_confidence: dataConfidence }),
  }
}

function extendMember(extend: RuleSource['extend'], expand: (text: string) => string): Partial<CompiledRule> {
  if (extend === undefined) return {}
  return typeof extend === 'string' ? { extend } : { extend_while: new RegExp(expand(extend.while)).source }
}

/** The fragments of a file; each may name those before it. */
function fragmentsOf(file: RuleFile): ReadonlyMap<string, string> {
  const fragments = new Map<string, string>()
  for (const [name, text] of Object.entries(file.let ?? {})) fragments.set(name, withFragments(text, fragments))
  return fragments
}

function withFragments(text: string, fragments: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{([a-z][a-z0-9_]*)\}/g, (_, name: string) => {
    const fragment = fragments.get(name)
    if (fragment === undefined) throw new Error(`there is no fragment called ${name}`)
    return fragment
  })
}

function assertKnown(what: string, names: string | readonly string[] | undefined, table: object): void {
  for (const name of typeof names === 'string' ? [names] : (names ?? [])) {
    if (!Object.hasOwn(table, name))
      throw new Error(`there is no ${what} called ${name}: there are ${Object.keys(table).join(', ')}`)
  }
}

/** Throws when an expression has no longest match. */
function assertBounded(alternatives: Alternatives): void {
  for (const element of alternatives.flatMap(({ elements }) => elements)) {
    const { once, max } = quantified(element)
    if (!Number.isFinite(max)) throw new Error(`a pattern is bounded, and this is not: ${element.raw}`)
    if ('alternatives' in once) assertBounded(once.alternatives)
  }
}

/** `2 6` and `12-19` as numbers. */
function numbersOf(ranges: string): readonly number[] {
  return ranges.split(' ').flatMap((range) => {
    const [from, to] = range.split('-').map(Number) as [number, number | undefined]
    return Array.from({ length: (to ?? from) - from + 1 }, (_, index) => from + index)
  })
}
