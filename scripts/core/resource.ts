/** A thing that a host should have. It has one verb, `plan`: an empty plan means that it is as wanted. */
import type { Command, Know } from './host.ts'

/** One step towards the wanted state: what it does, why, with which commands, and how a file would differ. */
export type Change = Readonly<{
  does: string
  because: string
  commands: readonly [Command, ...Command[]]
  /** A unified diff of a file. Never of one that holds a secret. */
  diff?: string
}>

/** `id` is a stable address such as `file:/etc/tappass/tappass.yaml`. */
export type Resource = Readonly<{ id: string; plan: (know: Know) => Promise<readonly Change[]> }>
