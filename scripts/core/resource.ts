/** A part of the desired state of a host. `plan` returns the changes that are missing; an empty plan means that it is up to date. */
import type { Guard } from './guard.ts'
import type { Command, GetFact } from './host.ts'

/** One change towards the desired state: the action, its reason, the commands, and the diff of a file. */
export type Change = Readonly<{
  action: string
  reason: string
  commands: readonly [Command, ...Command[]]
  /** A unified diff of a file; never of one that holds a secret. */
  diff?: string
  /** What it touches, where it could cut the operator off: the host puts that back unless the change is confirmed over a new connection. */
  guard?: Guard
}>

/**
 * `id` is a stable name such as `file:/etc/tappass/tappass.yaml`, its kind first. `role` is the role that wants it. `health` returns what is
 * not well although everything is as desired. `undo` plans what puts back in force what was before, after a step has failed.
 */
export type Resource = Readonly<{
  id: string
  role?: string
  plan: (getFact: GetFact) => Promise<readonly Change[]>
  health?: (getFact: GetFact) => Promise<string | undefined>
  undo?: (getFact: GetFact) => Promise<readonly Change[]>
}>
