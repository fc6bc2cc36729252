/**
 * Makes a bare host the one that was lost, from a store and the recovery key alone: the set is fetched to this machine and opened, the host is brought to its settings with its
 * secrets and its authority of identities, its database is restored, and it is asked whether it serves. Any run can be killed; the next one goes on.
 */
import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { ProvidedSecret } from '../artifacts/artifact.ts'
import { measureFile, SECRET_IDS } from '../artifacts/artifact-measurement.ts'
import { bootstrapHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { backupCommand } from '../control/backup-process.ts'
import { type HostRunContext, runHost } from '../converge/host-run.ts'
import { Failure, refusedFailure, usageFailure } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { absoluteSettings } from '../inventory/inventory.ts'
import { openStoreForHost, type SetForHost } from '../server-process/backup-store.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { isMapping } from '../spec/settings.ts'
import { readHostSpec } from '../spec/spec-reader.ts'
import { parseYaml, readNamedFile } from '../spec/yaml-text.ts'
import { lookAfter, operatorOf, runLocked, show } from './backup-run.ts'
import { foundingSetOf, seedCommands, sendSetFileCommand, unpackLogCommand } from './founding.ts'

/** What of the command is not made here: `contextOf` is that of a bootstrap with this specification; `schema` is the newest migration of this release; `to` is the moment (ISO, or `latest`). */
export type NewHostOptions = Readonly<{
  schema: number
  to: string | undefined
  resourcesOf: (spec: HostSpec) => readonly Resource[]
  contextOf: (host: HostSession, spec: HostSpec) => HostRunContext
}>

/** As from a file of `--secret`: a line end at the end is not part of the value. */
function provided(text: string): ProvidedSecret {
  const value = text.replace(/\r?\n$/, '')
  return { sha256: sha256Of(value), readValue: () => value }
}

/** The settings of the lost host, those of `--config` over them; its secrets, those of `--secret` over them. */
async function specOf(invocation: Invocation, { settings, secrets }: SetForHost): Promise<HostSpec> {
  const config = resolve(invocation.workingFolder, textOption(invocation, 'config') ?? '')
  const above = parseYaml(await readNamedFile(config), config)
  const own = isMapping(above) ? absoluteSettings(above, dirname(config)) : {}
  const source = { config: undefined, own: { where: config, settings: own, secrets: {} } }
  const spec = await readHostSpec(invocation, source, settings)
  const known = Object.entries(secrets).filter(([id]) => SECRET_IDS.includes(id))
  return {
    ...spec,
    secrets: { ...Object.fromEntries(known.map(([id, value]) => [id, provided(value)])), ...spec.secrets },
  }
}

async function runAll({ run }: HostSession, commands: readonly Command[]): Promise<void> {
  for (const command of commands) {
    const { code, stderr } = await run(command)
    if (code !== 0)
      throw new Failure({
        what: 'the set does not get onto the host',
        why: stderr.trim(),
        next: 'run it again: it goes on',
      })
  }
}

async function sendSet(host: HostSession, folder: string, set: string): Promise<void> {
  for (const name of readdirSync(join(folder, set)).toSorted()) {
    const file = join(folder, set, name)
    const { sha256 } = await measureFile(file)
    await runAll(host, [sendSetFileCommand(set, name, sha256, () => createReadStream(file))])
  }
}

/** The base backup, and the log to where PostgreSQL archives it. */
async function sendPoint(host: HostSession, folder: string, base: string): Promise<void> {
  await sendSet(host, folder, base)
  await runAll(host, [unpackLogCommand(base)])
}

function momentWords(to: string | undefined): readonly string[] {
  return to === undefined || to === 'latest' ? [] : ['--to', to]
}

function assertSchema({ schema, release, set }: SetForHost, own: number): void {
  if (schema <= own) return
  throw refusedFailure(
    `${set} has the schema ${schema}, and this release knows ${own}`,
    `it was taken by release ${release}`,
    `use the toolkit of release ${release} or a newer one`,
  )
}

async function restoreFetched(
  invocation: Invocation,
  host: HostSession,
  { contextOf, resourcesOf, schema, to }: NewHostOptions,
  fetched: SetForHost,
  folder: string,
): Promise<HostResult> {
  const { set, base } = fetched
  assertSchema(fetched, schema)
  const spec = await specOf(invocation, fetched)
  const context = contextOf(host, spec)
  // Only after consent, and before the first change of the run.
  const confirm: HostRunContext['confirm'] = async (name, changes) => {
    if (!(await context.confirm(name, changes))) return false
    await runAll(host, await seedCommands(host.freshFacts(), fetched))
    return true
  }
  const made = await runHost(invocation, host, resourcesOf(spec), spec, { ...context, confirm })
  if (made.outcome !== 'up-to-date') return made
  await sendSet(host, folder, set)
  if (base !== undefined) await sendPoint(host, folder, base)
  const words = base === undefined ? ['restore', set] : ['restore', '--base', base, ...momentWords(to)]
  const command = backupCommand([...words, '--first', '--by', operatorOf()], 'change', bootstrapHint(invocation))
  const output = await runLocked(invocation, host, command)
  const restored = show(invocation, output, host)
  return output.code === 0 ? { ...(await lookAfter(invocation, host)), applied: made.applied } : restored
}

/** Returns the command line as one whose host is that of `--onto`. Throws a usage failure for options that would say something else. */
export function asNewHost(invocation: Invocation): Invocation {
  for (const option of ['database', 'host', 'inventory'])
    if (isGiven(invocation, option))
      throw usageFailure(`"--${option}" says nothing beside "--onto"`, 'tappass backup restore --help')
  const { onto, ...options } = invocation.options
  return onto === 'localhost'
    ? { ...invocation, options }
    : { ...invocation, options: { ...options, host: [String(onto)] } }
}

/** Returns the work on the host. Throws a usage failure for what the command line lacks, before any connection. */
export async function newHostWork(
  invocation: Invocation,
  options: NewHostOptions,
): Promise<(host: HostSession) => Promise<HostResult>> {
  const fetchSet = await openStoreForHost(invocation)
  const [named] = invocation.operands
  return async (host) => {
    const begun = await foundingSetOf(host.freshFacts(), named)
    const folder = mkdtempSync(join(tmpdir(), 'tappass-restore-'))
    try {
      const fetched = await fetchSet(named ?? begun, folder, options.to)
      host.emit({ event: 'set-fetched', set: fetched.set, takenAt: fetched.takenAt, release: fetched.release })
      return await restoreFetched(invocation, host, options, fetched, folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
