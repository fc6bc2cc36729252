/** Completion scripts for bash, zsh and fish, rendered from the command table. */
import { optionsOf } from './argument.ts'
import type { Option } from './option.ts'
import type { Verb } from './verb.ts'

/** The supported shells. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** A supported shell. */
export type Shell = (typeof SHELLS)[number]

function flagsOf(verb: Verb): string {
  return optionsOf(verb)
    .map(({ name }) => `--${name}`)
    .join(' ')
}

/** The words that may follow a verb: its actions, or the alternatives of its operand (`bash|zsh|fish`). */
function subcommandsOf(verb: Verb): readonly Readonly<{ name: string; summary: string }>[] {
  const alternatives = verb.operands?.includes('|') === true ? verb.operands.split('|') : []
  return verb.actions ?? alternatives.map((name) => ({ name, summary: name }))
}
function actionsOf(verb: Verb): string {
  return subcommandsOf(verb)
    .map(({ name }) => name)
    .join(' ')
}
function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Completes the choices of an option, or file names where it takes a file or folder. */
function bashValues(options: readonly Option[]): string {
  return options
    .filter(({ value }) => value !== undefined)
    .map(({ name, choices, value }) => {
      const words = choices === undefined ? '' : `-W ${quoteForShell(choices.join(' '))}`
      const files = value === 'DIR' ? '-d' : value === 'FILE' ? '-f' : ''
      return `      --${name}) COMPREPLY=($(compgen ${words === '' ? files || "-W ''" : words} -- "$cur")); return ;;`
    })
    .join('\n')
}

function renderBash(verbs: readonly Verb[]): string {
  return `# bash completion for tappass: eval "$(tappass completion bash)"
_tappass() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W '${verbs.map(({ name }) => name).join(' ')}' -- "$cur")); return; fi
  case $verb in
${verbs
  .map(
    (verb) => `  ${verb.name})
    case $prev in
${bashValues(optionsOf(verb))}
    esac
    COMPREPLY=($(compgen -W '${[actionsOf(verb), flagsOf(verb)].join(' ').trim()}' -- "$cur")) ;;`,
  )
  .join('\n')}
  esac
}
complete -o default -F _tappass tappass ./tappass
`
}

function zshOption({ name, summary, value, choices, isRepeatable }: Option): string {
  const text = summary.replace(/[[\]:]/g, '\\$&')
  const action =
    choices === undefined
      ? value === 'FILE'
        ? '_files'
        : value === 'DIR'
          ? '_files -/'
          : ''
      : `(${choices.join(' ')})`
  return quoteForShell(
    `${isRepeatable === true ? '*' : ''}--${name}[${text}]${value === undefined ? '' : `:${value.replace(/:/g, '\\:')}:${action}`}`,
  )
}

function zshPairs(pairs: readonly Readonly<{ name: string; summary: string }>[]): string {
  return pairs.map(({ name, summary }) => quoteForShell(`${name}:${summary}`)).join(' ')
}

function renderZsh(verbs: readonly Verb[]): string {
  return `#compdef tappass
# zsh completion for tappass: source <(tappass completion zsh)
_tappass() {
  local -a verbs actions
  verbs=(${zshPairs(verbs)})
  if (( CURRENT == 2 )); then _describe command verbs; return; fi
  local verb=$words[2]
  shift words; (( CURRENT-- ))
  case $verb in
${verbs
  .map((verb) => {
    const describe = `actions=(${zshPairs(subcommandsOf(verb))}); (( CURRENT == 2 )) && _describe action actions`
    return `  ${verb.name}) ${subcommandsOf(verb).length === 0 ? '' : `${describe}; `}_arguments ${optionsOf(verb).map(zshOption).join(' ')} ;;`
  })
  .join('\n')}
  esac
}
compdef _tappass tappass
`
}

function fishOption(verb: Verb, { name, summary, value, choices }: Option): string {
  const values = choices === undefined ? '' : ` -a ${quoteForShell(choices.join(' '))}`
  const kind = value === undefined ? '' : choices === undefined ? ' -r' : ' -x'
  return `complete -c tappass -n '__fish_seen_subcommand_from ${verb.name}' -l ${name} -d ${quoteForShell(summary)}${kind}${values}`
}

function renderFish(verbs: readonly Verb[]): string {
  return `# fish completion for tappass: tappass completion fish | source
complete -c tappass -f
${verbs.map(({ name, summary }) => `complete -c tappass -n __fish_use_subcommand -a ${name} -d ${quoteForShell(summary)}`).join('\n')}
${verbs
  .flatMap((verb) => [
    ...subcommandsOf(verb).map(
      ({ name, summary }) =>
        `complete -c tappass -n '__fish_seen_subcommand_from ${verb.name}' -a ${name} -d ${quoteForShell(summary)}`,
    ),
    ...optionsOf(verb).map((option) => fishOption(verb, option)),
  ])
  .join('\n')}
`
}

const RENDERERS = { bash: renderBash, zsh: renderZsh, fish: renderFish } as const

/** Returns the completion script of a shell for every verb, action and option of the table. */
export function renderCompletion(shell: Shell, verbs: readonly Verb[]): string {
  return RENDERERS[shell](verbs)
}
