/** What a user can type after `tappass`: a verb is data, its module is loaded only when it is run. */
import type { Invocation } from './invocation.ts'
import type { Option } from './option.ts'

/** A second word (`migrate up`). `operands` is how further words are shown (`ID`); empty means that none are taken. */
export type Action = Readonly<{ name: string; summary: string; operands?: string; options?: readonly Option[] }>

/** What a command's module exports. Gives the process's exit code (see `exit-code.ts`). */
export type VerbModule = Readonly<{ run: (invocation: Invocation) => Promise<number> }>

/** One line of the command table. With `actions`, one of them must be named. */
export type Verb = Readonly<{
  name: string
  summary: string
  operands?: string
  options: readonly Option[]
  actions?: readonly Action[]
  load: () => Promise<VerbModule>
}>
