/** Help texts, rendered from the command table. */
import { optionsOf } from './argument.ts'
import { COMMON_OPTIONS, type Option } from './option.ts'
import type { Verb } from './verb.ts'

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}

function optionRow({ name, short, value, summary, choices, isRepeatable }: Option): readonly [string, string] {
  return [
    `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    `${summary}${choices === undefined ? '' : ` (${choices.join(', ')})`}${isRepeatable ? ' (repeatable)' : ''}`,
  ]
}

/** Returns the text of `tappass --help`, with a line end. */
export function renderOverview(verbs: readonly Verb[]): string {
  return `tappass: a governed AI gateway, from a bare machine to a governed call

Usage: tappass COMMAND [OPTION…]

Commands:
${columns(verbs.map(({ name, summary }) => [name, summary]))}

Options:
${columns([...COMMON_OPTIONS.map(optionRow), optionRow({ name: 'version', summary: 'show the version' })])}

tappass COMMAND --help shows the options of one command.
Exit codes: 0 success, 1 failed, 2 changes pending, 3 rolled back, 4 locked by another run,
5 preflight refused, 6 unreachable, 64 usage, 130 interrupted.
`
}

/** Returns the text of `tappass VERB --help`, with a line end. */
export function renderVerb(verb: Verb): string {
  const operands = verb.operands === undefined ? '' : ` ${verb.operands}`
  const actions = verb.actions ?? []
  const operandText = actions.length === 0 ? operands : ` ${actions.map((action) => action.name).join('|')}`
  const actionRows = actions.map(
    ({ name, operands: shown, summary }) => [shown === undefined ? name : `${name} ${shown}`, summary] as const,
  )
  return `tappass ${verb.name}: ${verb.summary}

Usage: tappass ${verb.name}${operandText} [OPTION…]
${actionRows.length === 0 ? '' : `\nActions:\n${columns(actionRows)}\n`}
Options:
${columns(optionsOf(verb).map(optionRow))}
`
}
