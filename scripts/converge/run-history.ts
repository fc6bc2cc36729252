/** Notes a run in the log on the host: its begin with the lock, before anything is changed, and its end with what is on the host then. */
import { nextCredentialId } from '../../contract/secret.ts'
import type { Command, GetFact } from '../core/host.ts'
import type { ManagedFile, Resource } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { placesOf } from '../history/line-mark.ts'
import { beginCommand, endCommand } from '../history/log-command.ts'
import { type EndRecord, recordText } from '../history/run-record.ts'
import type { Emit, PlannedChange } from '../output/event.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { settingRows } from './plan-record.ts'

/**
 * What of a run is noted besides what it does. `marked` returns its resources from texts whose lines name their place. `operator` is given where nobody typed the
 * command; `restored` is the run whose settings it was given.
 */
export type RunHistory = Readonly<{
  spec: HostSpec
  marked: () => readonly Resource[]
  operator?: string | undefined
  restored?: number
}>

/** Who runs it. `plan` is the digest of the plan on file that it is held to. */
export type RunFacts = Readonly<{ operator: string; sshUser: string; verb: string; plan?: string | undefined }>

/** Returns the command that notes the begin. */
export function beginOf(
  { spec, operator, restored }: RunHistory,
  { plan, ...facts }: RunFacts,
  changes: readonly PlannedChange[],
): Command {
  const planned = changes.map(({ resource, action }) => ({ resource, action }))
  const record = { spec: settingRows(spec), secrets: Object.keys(spec.secrets), planned }
  const fields = {
    ...{ ...facts, operator: operator ?? facts.operator, release: spec.release.version },
    ...(plan === undefined ? {} : { plan }),
    ...(restored === undefined ? {} : { restored }),
  }
  return beginCommand(fields, recordText(record))
}

/** What a run has applied. */
export type Applied = Readonly<EndRecord['applied']>

/** Counts what is applied, `before` included: events go on to `emit`. */
export function listApplied(emit: Emit, before: Applied = []): Readonly<{ emit: Emit; applied: EndRecord['applied'] }> {
  const applied: EndRecord['applied'] = [...before]
  let action = ''
  return {
    applied,
    emit: (event) => {
      if (event.event === 'step-started') action = event.action
      if (event.event === 'step-finished' && event.isApplied) applied.push({ resource: event.resource, action })
      emit(event)
    },
  }
}

type OwnedFile = ManagedFile & Readonly<{ resource: string; role?: string }>

async function filesOf(resources: readonly Resource[], getFact: GetFact): Promise<readonly OwnedFile[]> {
  const all = await Promise.all(
    resources.map(async ({ id, role, files }) => {
      const own = (await files?.(getFact)) ?? []
      return own.map((file) => ({ ...file, resource: id, ...(role === undefined ? {} : { role }) }))
    }),
  )
  return all.flat()
}

async function fileRecords(resources: readonly Resource[], { marked }: RunHistory, getFact: GetFact) {
  const [files, twins] = await Promise.all([filesOf(resources, getFact), filesOf(marked(), getFact)])
  const twinOf = new Map(twins.map(({ path, content }) => [path, content]))
  return files.map(({ path, content, resource, role }) => {
    const lines = placesOf(twinOf.get(path) ?? '', content)
    const sha256 = sha256Of(content)
    return {
      ...{ path, resource, sha256 },
      ...(role === undefined ? {} : { role }),
      ...(lines === undefined ? {} : { lines: [...lines] }),
    }
  })
}

const SECRET_IDS = [...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS]

/** What is encrypted: where systemd can't encrypt, the file is the secret itself. */
const SECRET_PATHS = [...SECRET_IDS, ...SECRET_IDS.map(nextCredentialId)].map((id) => credentialPaths(id)[0])

/** Returns the command that notes the end. `getFact` is the reader of the last plan, which knows all that the content of files depends on. */
export async function endOf(
  history: RunHistory,
  resources: readonly Resource[],
  getFact: GetFact,
  { outcome, applied }: Readonly<{ outcome: string; applied: EndRecord['applied'] }>,
): Promise<Command> {
  const files = await fileRecords(resources, history, getFact)
  const images = resources.flatMap(({ id }) => (id.startsWith('image:') ? [id.slice('image:'.length)] : []))
  const subjects = { files: [...new Set(files.map(({ path }) => path))], secrets: SECRET_PATHS, images }
  return endCommand({ outcome, applied: applied.length }, recordText({ applied, files }), subjects)
}
