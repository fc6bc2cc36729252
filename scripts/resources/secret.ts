/** A secret on the host as an encrypted systemd credential, generated there or provided by the operator. */

import type { ProvidedSecret } from '../artifacts/artifact.ts'
import { refusedFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { type PathState, pathFact } from '../facts/path.ts'
import { ownershipCommands, ownershipDifferences } from '../files/file-change.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { type SecretKind, storeCommand, storedPath } from '../secrets/credential-store.ts'
import { ONE_TIME_SECRETS_FOLDER } from '../secrets/one-time-secret.ts'
import { isReadableFact, isSameFact, storedAtFact } from '../secrets/secret-fact.ts'

/**
 * `id` is the credential's name. With `generate` it is generated on the host when it is absent; while one of the `guard` paths exists there
 * (data that need the old value) that is a `Failure`. With `provided` the operator's value is stored, and replaced only when the one on
 * the host differs; with `isStaged` not even then, for the new value is staged beside it (`staged-secret.ts`). `isShownOnce` leaves a marker,
 * so that bootstrap shows the value once. One that was stored before `replacedBefore` (the host's clock, in seconds) is generated again.
 */
export type SecretOptions = Readonly<
  { id: string } & (
    | {
        generate: SecretKind
        guard?: readonly string[]
        isShownOnce?: boolean
        isStaged?: boolean
        replacedBefore?: number | undefined
        provided?: ProvidedSecret | undefined
      }
    | { generate?: never; provided: ProvidedSecret }
  )
>

const HOST_KEY = '/var/lib/systemd/credential.secret'

function unreadable(id: string, path: string, isNeeded: boolean) {
  const replacement = isNeeded
    ? `provide it: tappass bootstrap --secret ${id}=FILE`
    : `remove it, and the next run generates a new one: rm ${path}`
  const why = `${path} was encrypted with another ${HOST_KEY}`
  return refusedFailure(`cannot decrypt the secret ${id}`, why, `restore ${HOST_KEY}, or ${replacement}`)
}

/** The old value would be gone for ever, and with it the meaning of what was written with it. */
function replaced(id: string, dependentPath: string) {
  return refusedFailure(
    `the secret ${id} of this host is another one than the one provided`,
    `${dependentPath} was written with it, and the value on the host would be lost`,
    `leave out --secret ${id}=FILE: the host keeps its own; to rotate it: tappass secrets rotate ${id} --secret ${id}=FILE; with an empty host move the data away first: mv ${dependentPath} ${dependentPath}.old`,
  )
}

const ROOT_ONLY = { owner: 'root', group: 'root', mode: '0600' } as const

function repairs(path: string, state: PathState): readonly Change[] {
  const differences = ownershipDifferences(state, ROOT_ONLY)
  if (differences.length === 0) return []
  const commands = ownershipCommands(path, ROOT_ONLY)
  return [{ action: `set owner and mode of ${path}`, reason: differences.join('; '), commands }]
}

/** What is known of the secret on the host. `dependentPath` are data that need its value. */
type SecretState = Readonly<{
  store: HostTraits['credentialStore']
  path: string
  state: PathState
  isReadable: boolean
  isSame: boolean
  isOutdated: boolean
  dependentPath: string | undefined
}>

async function stateOf(getFact: GetFact, options: SecretOptions): Promise<SecretState> {
  const { id, provided } = options
  const { guard = [], replacedBefore } = options.generate === undefined ? {} : options
  const paths = credentialPaths(id)
  const [{ credentialStore: store }, encrypted, plain, isDecrypted, isSame, storedAt, ...guarded] = await Promise.all([
    getFact(hostTraitsFact),
    getFact(pathFact(paths[0])),
    getFact(pathFact(paths[1])),
    getFact(isReadableFact(paths[0])),
    provided === undefined ? true : getFact(isSameFact(id, provided.sha256)),
    replacedBefore === undefined ? undefined : getFact(storedAtFact(id)),
    ...guard.map((path) => getFact(pathFact(path))),
  ])
  return {
    store,
    path: storedPath(store, id),
    state: store === 'encrypted' ? encrypted : plain,
    isReadable: store === 'plain' || isDecrypted,
    isSame,
    isOutdated:
      provided === undefined && replacedBefore !== undefined && storedAt !== undefined && storedAt < replacedBefore,
    dependentPath: guard.find((_, index) => guarded[index]?.kind !== 'absent'),
  }
}

function storeProvided(
  { id }: SecretOptions,
  provided: ProvidedSecret,
  { store, state, isReadable, dependentPath }: SecretState,
): readonly Change[] {
  const isPresent = state.kind !== 'absent'
  if (isPresent && isReadable && dependentPath !== undefined) throw replaced(id, dependentPath)
  const reason = isPresent ? 'another value was provided' : 'it is absent'
  const command = storeCommand(store, id, { value: provided.readValue() })
  return [{ action: `store the secret ${id}`, reason, commands: [command] }]
}

function missing(id: string, path: string, dependentPath: string) {
  return refusedFailure(
    `the secret ${id} is missing`,
    `${dependentPath} was written with it and would be unreadable with a new one`,
    `restore ${path}, or provide it: tappass bootstrap --secret ${id}=FILE`,
  )
}

/** The credential at /etc/credstore.encrypted/ID, or /etc/credstore/ID where systemd cannot encrypt. Throws a `Failure` (exit 5) when a new value would make data unreadable. */
export function secret(options: SecretOptions): Resource {
  return {
    id: `secret:${options.id}`,
    absent: leavesNothing('all secrets go together'),
    plan: async (getFact) => {
      const { id, provided } = options
      const known = await stateOf(getFact, options)
      const { store, path, state, isReadable, isSame, isOutdated, dependentPath } = known
      const isPresent = state.kind !== 'absent'
      if (isPresent && !isReadable && provided === undefined) throw unreadable(id, path, dependentPath !== undefined)
      const isStaged = options.generate !== undefined && options.isStaged === true && isReadable
      if (isPresent && (isSame || isStaged) && !isOutdated) return repairs(path, state)
      if (options.generate === undefined) return storeProvided(options, options.provided, known)
      if (provided !== undefined) return storeProvided(options, provided, known)
      if (dependentPath !== undefined) throw missing(id, path, dependentPath)
      const { generate, isShownOnce = false } = options
      const marker = isShownOnce ? ONE_TIME_SECRETS_FOLDER : ''
      const command = storeCommand(store, id, { generate }, marker)
      const reason = isPresent ? 'its rotation was asked for' : 'it is absent'
      return [{ action: `generate the secret ${id}`, reason, commands: [command] }]
    },
  }
}
