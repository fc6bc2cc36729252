/** The table of commands: each verb with the module that runs it, which is loaded only when it is asked for. */
import type { Invocation } from './invocation.ts'
import type { Verb } from './verb.ts'

/** What a command's module exports. Gives the process's exit code (see `exit-code.ts`). */
export type VerbModule = Readonly<{ run: (invocation: Invocation) => Promise<number> }>

/** In the order of `--help`. */
export type CommandTable = readonly (Verb & Readonly<{ load: () => Promise<VerbModule> }>)[]
