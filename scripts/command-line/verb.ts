/** Commands as data: enough for help, completion and parsing, without the code that runs them. */
import type { Option } from './option.ts'

/** A subcommand (`migrate up`). `operands` is the placeholder of the operand (`ID`; `[ID]`: it may be left out), or its alternatives (`bash|zsh`); undefined: it takes none. */
export type Action = Readonly<{ name: string; summary: string; operands?: string; options?: readonly Option[] }>

/** A command. With `actions`, one of them must be given. */
export type Verb = Readonly<{
  name: string
  summary: string
  operands?: string
  options: readonly Option[]
  actions?: readonly Action[]
}>
