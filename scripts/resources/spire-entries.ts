/**
 * The registration entries that the toolkit keeps on SPIRE's server. Ours are known by their entry id; those of others are left alone, and one
 * of theirs that says the same as a wanted one is taken for it (the server has no entry twice).
 */
import { HOST_PATH } from '../../contract/path.ts'
import { changeCommand } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { SPIRE_SERVER, type SpireEntry, type SpireState, spireFact } from '../facts/spire.ts'

/** The entry of a workload; lifetimes of 0 seconds are the server's. */
export type WorkloadEntry = Readonly<{
  spiffeId: string
  selectors: readonly string[]
  x509SvidSeconds: number
  jwtSvidSeconds: number
  dnsNames: readonly string[]
}>

/** `hostId` is the id that the agent's further name has, and that all workloads hang on: the agent's own changes with each attestation. */
export type SpireEntriesOptions = Readonly<{ hostId: string; workloads: readonly WorkloadEntry[] }>

const OWN_PREFIX = 'tappass.'
const DIGITS = 16

/** The entry's id of a SPIFFE ID: known before the server has it. */
function entryId(spiffeId: string): string {
  return OWN_PREFIX + sha256Of(spiffeId).slice(0, DIGITS)
}

type DesiredEntry = Omit<SpireEntry, 'isPlain'>

/** The further name hangs on the agent itself, and all others on that name. */
function desiredEntries({ hostId, workloads }: SpireEntriesOptions, agentId = ''): readonly DesiredEntry[] {
  const host = {
    spiffeId: hostId,
    selectors: [`spiffe_id:${agentId}`],
    x509SvidSeconds: 0,
    jwtSvidSeconds: 0,
    dnsNames: [],
  }
  return [
    { ...host, id: entryId(hostId), parentId: agentId },
    ...workloads.map((each) => ({
      ...each,
      id: entryId(each.spiffeId),
      parentId: hostId,
      selectors: each.selectors.toSorted(),
    })),
  ]
}

/** Returns what an entry says otherwise than it should; undefined: nothing. */
function differenceOf(found: SpireEntry, desired: DesiredEntry): string | undefined {
  const same = (one: readonly string[], other: readonly string[]) => one.join('\n') === other.join('\n')
  if (found.spiffeId !== desired.spiffeId) return 'it names another SPIFFE ID'
  if (found.parentId !== desired.parentId) return 'it has another parent'
  if (!same(found.selectors, desired.selectors)) return 'its selectors differ'
  if (!same(found.dnsNames, desired.dnsNames)) return 'its host names differ'
  if (found.x509SvidSeconds !== desired.x509SvidSeconds || found.jwtSvidSeconds !== desired.jwtSvidSeconds)
    return 'its lifetimes differ'
  return found.isPlain ? undefined : 'it gives more than an SVID'
}

/** The entry goes to the server on standard input: that of the agent's further name holds the agent's id. */
function writeCommand(verb: 'create' | 'update', desired: DesiredEntry): Command {
  const selectors = desired.selectors.map((each) => {
    const [type = '', ...rest] = each.split(':')
    return { type, value: rest.join(':') }
  })
  const entry = {
    ...{ entry_id: desired.id, spiffe_id: desired.spiffeId, parent_id: desired.parentId, selectors },
    ...{ x509_svid_ttl: desired.x509SvidSeconds, jwt_svid_ttl: desired.jwtSvidSeconds, dns_names: desired.dnsNames },
  }
  const command = changeCommand(SPIRE_SERVER, 'entry', verb, '-socketPath', HOST_PATH.spireServerSocket, '-data', '-')
  return { ...command, stdin: JSON.stringify({ entries: [entry] }) }
}

function deleteCommand(id: string): Command {
  return changeCommand(SPIRE_SERVER, 'entry', 'delete', '-socketPath', HOST_PATH.spireServerSocket, '-entryID', id)
}

function planEntry(desired: DesiredEntry, found: readonly SpireEntry[], absence: string): readonly Change[] {
  const own = found.find(({ id }) => id === desired.id)
  if (own === undefined && found.some((each) => differenceOf(each, desired) === undefined)) return []
  const name = desired.spiffeId
  if (own === undefined)
    return [{ action: `create the entry of ${name}`, reason: absence, commands: [writeCommand('create', desired)] }]
  const reason = differenceOf(own, desired)
  if (reason === undefined) return []
  return [{ action: `update the entry of ${name}`, reason, commands: [writeCommand('update', desired)] }]
}

function planEntries(options: SpireEntriesOptions, { server, agent }: SpireState): readonly Change[] {
  const found = server?.entries ?? []
  const absence = server === undefined ? 'the server does not answer yet' : 'it is absent'
  const desired = desiredEntries(options, agent?.id)
  const ids = desired.map(({ id }) => id)
  return [
    // First: the server has no entry twice, and one that is wanted may say what an unwanted one says.
    ...found
      .filter(({ id }) => id.startsWith(OWN_PREFIX) && !ids.includes(id))
      .map(({ id, spiffeId }) => ({
        action: `delete the entry of ${spiffeId}`,
        reason: 'nothing wants it any more',
        commands: [deleteCommand(id)] as const,
      })),
    ...desired.flatMap((each) => planEntry(each, found, absence)),
  ]
}

/** The entries; the server has to run, and the agent to be attested. */
export function spireEntries(options: SpireEntriesOptions): Resource {
  return {
    id: `spire-entries:${options.hostId}`,
    absent: leavesNothing('they go with the server'),
    plan: async (getFact) => planEntries(options, await getFact(spireFact)),
  }
}
