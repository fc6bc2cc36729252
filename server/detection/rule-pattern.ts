/** Makes patterns and phrases of compiled rules. */
import type { NumberPattern } from './number-detector.ts'
import { extendWhile, type Pattern } from './pattern.ts'
import type { Phrase } from './phrase.ts'
import type { CompiledRule, RuleFunctions } from './rule.ts'

/** Makes the pattern of a rule that a keyword or a digit triggers. */
export function patternOf(rule: CompiledRule, functions: RuleFunctions): Pattern {
  const { id, kind, severity, confidence, keywords, partial } = rule
  const score = scoreOf(rule, functions)
  const extend = extendOf(rule, functions)
  const isPlausible = rule.probe === undefined ? undefined : functions.probes[rule.probe]?.run
  return {
    rule: id,
    kind,
    severity,
    confidence,
    keywords,
    pattern: new RegExp(rule.pattern, rule.flags),
    ...(partial === undefined ? {} : { partial }),
    ...(score === undefined ? {} : { score }),
    ...(extend === undefined ? {} : { extend }),
    ...(isPlausible === undefined ? {} : { isPlausible }),
  }
}

/** Makes the phrase of a rule. */
export function phraseOf(rule: CompiledRule): Phrase {
  const { id, kind, severity, confidence, keywords, pattern, flags, channel = 'anyone' } = rule
  const expression = new RegExp(pattern, flags)
  const dataConfidence = rule.data_confidence ?? confidence
  return { rule: id, kind, severity, confidence, dataConfidence, keywords, channel, pattern: expression }
}

/** Makes the number of a rule of the form `number`. */
export function numberOf(rule: CompiledRule, functions: RuleFunctions): NumberPattern {
  const finder = rule.finder === undefined ? undefined : functions.finders[rule.finder]?.run
  return {
    digits: rule.digits ?? [],
    pattern: patternOf(rule, functions),
    ...(finder === undefined ? {} : { finder }),
  }
}

/** The tests of a value as one function; undefined when there are none. */
function scoreOf(rule: CompiledRule, { checks, grades }: RuleFunctions): Pattern['score'] {
  const { confidence } = rule
  if (rule.grade !== undefined) return grades[rule.grade]?.run
  const tests = (rule.check ?? []).flatMap((name) => checks[name]?.run ?? [])
  if (rule.only !== undefined) {
    const only = new RegExp(rule.only)
    tests.push((value) => only.test(value))
  }
  if (rule.unless !== undefined) {
    const unless = new RegExp(rule.unless)
    tests.push((value) => !unless.test(value))
  }
  return tests.length === 0 ? undefined : (value) => (tests.every((test) => test(value)) ? confidence : undefined)
}

function extendOf(rule: CompiledRule, functions: RuleFunctions): Pattern['extend'] {
  if (rule.extend_while !== undefined) return extendWhile(rule.extend_while)
  return rule.extend === undefined ? undefined : functions.extends[rule.extend]?.run
}
