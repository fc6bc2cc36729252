/** What a user can type after `tappass`, as data: enough for help, completion and parsing, and nothing to run. */
import type { Option } from './option.ts'

/** A second word (`migrate up`). `operands` is how further words are shown (`ID`); undefined means that none are taken. */
export type Action = Readonly<{ name: string; summary: string; operands?: string; options?: readonly Option[] }>

/** A first word. With `actions`, one of them must be named. */
export type Verb = Readonly<{
  name: string
  summary: string
  operands?: string
  options: readonly Option[]
  actions?: readonly Action[]
}>
