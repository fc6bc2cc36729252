/** Tries the examples of rules: a text that must match does, a near miss does not. */
import { createEngine } from '../detection/engine.ts'
import type { CompiledRule, RuleFunctions } from '../detection/rule.ts'
import { exampleText } from './example-text.ts'
import type { SourceFile } from './rule-source.ts'

/** What is wrong with the examples of a file; empty when nothing is. `compiled` are the file's rules in its order. */
export function exampleFailures(
  { name, file }: SourceFile,
  compiled: readonly CompiledRule[],
  functions: RuleFunctions,
): readonly string[] {
  return file.rules.flatMap(({ id, examples }, index) => {
    const matches = matcherOf(compiled[index] as CompiledRule, functions)
    const failures = (texts: readonly string[], isMatch: boolean): readonly string[] =>
      texts.map(exampleText).filter((text) => matches(text) !== isMatch)
    return [
      ...failures(examples.match, true).map((text) => `${name}: ${id} has no match in ${JSON.stringify(text)}`),
      ...failures(examples.no_match, false).map((text) => `${name}: ${id} has a match in ${JSON.stringify(text)}`),
    ]
  })
}

/** Whether one rule, alone, has a match in a text. */
function matcherOf(rule: CompiledRule, functions: RuleFunctions): (text: string) => boolean {
  const engine = createEngine([rule], functions)
  const set = engine.rules(rule.kind.slice(0, rule.kind.indexOf('.')))
  const detect = engine.detector(set)
  const detectPhrases = engine.phraseDetector(set.phrases)
  return (text) => detect(text).length + detectPhrases(text, ({ confidence }) => confidence).length > 0
}
