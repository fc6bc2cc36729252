/** Parses the arguments into a verb, its options and operands: `parseArgs` of `node:util` splits them, this file validates. Not by commander: about 8 ms of each start. */
import { parseArgs } from 'node:util'
import { usageFailure } from '../core/failure.ts'
import { COMMON_OPTIONS, type Option } from './option.ts'
import { nearest } from './suggestion.ts'
import type { Action, Verb } from './verb.ts'

/** The parsed command line. With `isHelp`, required words may be missing. */
export type Arguments<V extends Verb> = Readonly<{
  verb: V
  action: string | undefined
  operands: readonly string[]
  options: Readonly<Record<string, string | boolean | readonly string[]>>
  isHelp: boolean
}>

/** Returns the verb of that name. Throws a usage failure that suggests a similar one. */
export function findVerb<V extends Verb>(verbs: readonly V[], name: string): V {
  const verb = verbs.find((candidate) => candidate.name === name)
  if (verb !== undefined) return verb
  const suggestion = nearest(
    name,
    verbs.map((candidate) => candidate.name),
  )
  const next = suggestion === undefined ? 'tappass --help' : `tappass ${suggestion}`
  const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
  throw usageFailure(`there is no command "${name}"${hint}`, next)
}

/** Returns all options of a verb, those of its actions included, each once. */
export function optionsOf(verb: Verb, action?: Action): readonly Option[] {
  const actions = action === undefined ? (verb.actions ?? []) : [action]
  const all = [...verb.options, ...actions.flatMap((each) => each.options ?? []), ...COMMON_OPTIONS]
  return all.filter((option, index) => all.findIndex((other) => other.name === option.name) === index)
}

function findAction(verb: Verb, name: string | undefined, isHelp: boolean): Action | undefined {
  if (verb.actions === undefined) return undefined
  const names = verb.actions.map((action) => action.name)
  const action = verb.actions.find((candidate) => candidate.name === name)
  if (action !== undefined || (isHelp && name === undefined)) return action
  const next = `tappass ${verb.name} ${(name === undefined ? undefined : nearest(name, names)) ?? '--help'}`
  const what = name === undefined ? 'needs one of' : `has no "${name}", only`
  throw usageFailure(`"${verb.name}" ${what} ${names.join(', ')}`, next)
}

type Token = Readonly<{ kind: string; rawName?: string; name?: string; value?: string | undefined }>

function checkOption(verb: Verb, known: readonly Option[], token: Token): void {
  const option = known.find((candidate) => candidate.name === token.name)
  const typed = token.rawName ?? ''
  if (option === undefined) {
    const suggestion = nearest(
      typed.replace(/^-+/, ''),
      known.map((candidate) => candidate.name),
    )
    const hint = suggestion === undefined ? '' : `; did you mean "--${suggestion}"?`
    throw usageFailure(`"${verb.name}" has no option "${typed}"${hint}`, `tappass ${verb.name} --help`)
  }
  if (option.value === undefined) {
    if (token.value === undefined) return
    throw usageFailure(`"${typed}" takes no value`, `tappass ${verb.name} --${option.name}`)
  }
  if (token.value === undefined || token.value === '') {
    throw usageFailure(`"${typed}" needs a value`, `tappass ${verb.name} --${option.name} ${option.value}`)
  }
  if (option.choices !== undefined && !option.choices.includes(token.value)) {
    const suggestion = nearest(token.value, option.choices)
    const what = `"${typed}" is one of ${option.choices.join(', ')}, not "${token.value}"`
    const words = suggestion === undefined ? '--help' : `--${option.name} ${suggestion}`
    throw usageFailure(what, `tappass ${verb.name} ${words}`)
  }
}

/** A verb or action takes no operand, or exactly one (`[ROLE]`: one at most): any value, or one of the alternatives (`bash|zsh|fish`). */
function checkOperands(verb: Verb, action: Action | undefined, operands: readonly string[]): void {
  const expected = action === undefined ? verb.operands : action.operands
  const name = action === undefined ? verb.name : `${verb.name} ${action.name}`
  if (expected === undefined) {
    if (operands[0] === undefined) return
    throw usageFailure(`"${name}" takes no "${operands[0]}"`, `tappass ${verb.name} --help`)
  }
  if (expected.startsWith('[')) {
    if (operands[1] === undefined) return
    throw usageFailure(
      `"${name}" takes one ${expected.slice(1, -1)}, not "${operands[1]}" too`,
      `tappass ${name} ${operands[0]}`,
    )
  }
  const choices = expected.split('|')
  const isChoice = choices.length > 1
  if (operands[0] !== undefined && operands.length === 1 && (!isChoice || choices.includes(operands[0]))) return
  const what = isChoice ? `one of ${choices.join(', ')}` : `one ${expected}`
  throw usageFailure(`"${name}" needs ${what}`, `tappass ${name} ${isChoice ? choices[0] : expected}`)
}

/** Parses the arguments after `tappass`. Throws a usage failure (exit 64) for anything that is not understood. */
export function parseArguments<V extends Verb>(verbs: readonly V[], args: readonly string[]): Arguments<V> {
  const verb = findVerb(verbs, args[0] ?? '')
  const known = optionsOf(verb)
  const { tokens } = parseArgs({
    args: args.slice(1),
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      known.map(({ name, value, short }) => [
        name,
        { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) },
      ]),
    ),
  })
  const positionals = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const isHelp = tokens.some((token) => token.kind === 'option' && token.name === 'help')
  const action = findAction(verb, verb.actions === undefined ? undefined : positionals[0], isHelp)
  const operands = verb.actions === undefined ? positionals : positionals.slice(1)
  const options: Record<string, string | boolean | readonly string[]> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    checkOption(verb, optionsOf(verb, action), token)
    const option = known.find((candidate) => candidate.name === token.name)
    const earlier = options[token.name]
    if (option?.isRepeatable === true)
      options[token.name] = [...(Array.isArray(earlier) ? earlier : []), token.value ?? '']
    else options[token.name] = token.value ?? true
  }
  if (!isHelp) checkOperands(verb, action, operands)
  return { verb, action: action?.name, operands, options, isHelp }
}
