/**
 * Compiles the rules: node server/rules/build.ts writes compiled.json, and policy/data.json follows with
 * `node server/policy/build.ts --data`. With `--check` it compares instead. It fails for a rule that is not sound, whose
 * examples are too few, or don't do what they say. A process of its own; users never need it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compileRules } from '../detection/rule-compiler.ts'
import { RULE_FUNCTIONS } from './check/rule-functions.ts'
import { exampleFailures } from './example-check.ts'
import { COMPILED, type RuleBook } from './rule-book.ts'
import { readFamilies, readRuleFiles } from './rule-source.ts'

/** Compiles all files. Throws with every example that does not do what it says. */
export function buildRuleBook(): RuleBook {
  const families = readFamilies()
  const failures: string[] = []
  const rules = readRuleFiles().flatMap((source) => {
    if (!families.some(({ name }) => name === source.file.family))
      throw new Error(`${source.name}: there is no family called ${source.file.family}`)
    const compiled = compileRules(source.file, RULE_FUNCTIONS)
    failures.push(...exampleFailures(source, compiled, RULE_FUNCTIONS))
    return compiled
  })
  const ids = rules.map(({ id }) => id)
  failures.push(...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `there are two rules called ${id}`))
  if (failures.length > 0) throw new Error(failures.join('\n'))
  return { families, rules }
}

/** The text of compiled.json, a rule a line. */
export function ruleBookText({ families, rules }: RuleBook): string {
  const lines = (items: readonly unknown[]): string => items.map((item) => JSON.stringify(item)).join(',\n')
  return `{"families":[\n${lines(families)}\n],"rules":[\n${lines(rules)}\n]}\n`
}

/** Compiles, and writes or compares. Returns the exit code. */
function run(): number {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  const text = ruleBookText(buildRuleBook())
  if (!values.check) {
    writeFileSync(COMPILED, text)
    return 0
  }
  const isSame = readFileSync(COMPILED, 'utf8') === text
  process.stderr.write(
    isSame
      ? 'compiled.json is what its sources give\n'
      : 'compiled.json is out of date: run node server/rules/build.ts\n',
  )
  return isSame ? 0 : 1
}

if (import.meta.main) process.exit(run())
