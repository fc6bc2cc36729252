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

/** A file that a resource writes, as it shall be on this host. */
export type ManagedFile = Readonly<{ path: string; content: string }>

/** What stands under a name and version: the digest of its bytes. */
export type Accepted = Readonly<{ name: string; digest: string }>

/**
 * What a resource gets from elsewhere. `setting` is the key of host.yaml that names a file instead (`node`, `images.postgres`). Where no digest is pinned,
 * the file at `sha256Url` says it.
 */
export type Fetched =
  | Readonly<{ kind: 'packages'; id: string; names: readonly string[] }>
  | Readonly<{ kind: 'repository'; id: string; source: string; key: string }>
  | (Readonly<{ kind: 'file'; setting: string; url: string }> &
      (Readonly<{ sha256: string }> | Readonly<{ sha256Url: string }>))
  | Readonly<{ kind: 'image'; setting: string; reference: string }>
  | Readonly<{ kind: 'wheels'; setting: string; requirements: string }>

/** How much goes: `isWithData` is the data and the secrets that they are read with, too. */
export type Removal = Readonly<{ isWithData: boolean }>

/** Plans how a thing goes; an empty plan means that nothing of it is there. */
export type PlanAbsent = (getFact: GetFact, removal: Removal) => Promise<readonly Change[]>

/** Of a kind that leaves nothing of its own on a host; the reason is for readers. */
export function leavesNothing(_reason: string): PlanAbsent {
  return async () => []
}

/**
 * `id` is a stable name such as `file:/etc/tappass/tappass.yaml`, its kind first. `role` is the role that wants it. `health` returns what is
 * not well although everything is as desired. `undo` plans what puts back in force what was before, after a step has failed.
 * `accepts` returns the image or downloaded file that it installs, for `versions.lock`. `files` returns the files that it writes, but none that
 * holds a secret. Those that stand in a row and have the same guard as `guardedWith` are guarded, confirmed and put back as one change. `fetches` returns what it gets from elsewhere, on a host with these traits and on no other fact. `absent` plans how it goes; a test holds that every kind has it.
 */
export type Resource = Readonly<{
  id: string
  role?: string
  plan: (getFact: GetFact) => Promise<readonly Change[]>
  health?: (getFact: GetFact) => Promise<string | undefined>
  undo?: (getFact: GetFact) => Promise<readonly Change[]>
  accepts?: (getFact: GetFact) => Promise<Accepted | undefined>
  files?: (getFact: GetFact) => Promise<readonly ManagedFile[]>
  fetches?: (getFact: GetFact) => Promise<readonly Fetched[]>
  guardedWith?: Guard
  absent?: PlanAbsent
}>
