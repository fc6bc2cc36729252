/** A systemd unit: its file, whether it is enabled and running, and the revision of its inputs that it runs. */

import { createHash } from 'node:crypto'
import { HOST_PATH } from '../../contract/path.ts'
import { changeCommand, within } from '../core/command.ts'
import type { Command, GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { RELOAD_COMMAND, serveCommand, unitPath } from '../core/unit-command.ts'
import { type PerHost, resolvePerHost } from '../facts/host-trait.ts'
import { listeningFact } from '../facts/listening-address.ts'
import { digestFact } from '../facts/path.ts'
import { type UnitState, unitFact } from '../facts/unit.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { planTemplateAbsent, planUnitAbsent } from '../files/removal.ts'
import { overrideCommands, type RolloutFiles } from '../files/unit-override.ts'
import { resolveUnitText, type UnitText } from '../files/unit-text.ts'

/**
 * `name` is the full unit name. A template (`tappass@.service`) only writes the file; its instance (`tappass@1.service`, with the same
 * `content` and `inputs`) is enabled, started and restarted, and writes no file.
 * Without `content` the unit belongs to another package (docker.service): only its state is managed, and its `revision` if one is given
 * (in a drop-in of ours).
 * `content` contains `@REVISION@` (core/revision.ts) as placeholder for the revision:
 *  - `Environment=TAPPASS_REVISION=@REVISION@`: read back from the running main process;
 *  - `ExecStartPost=/bin/sh -c 'echo @REVISION@ >/run/tappass/revision/%n'`: for oneshots with
 *    RemainAfterExit=yes, which have no process; read back from that file;
 *  - neither (timers, targets, sockets, oneshots that timers start): nothing is restarted, `daemon-reload` is enough.
 * The revision is a hash over content, `inputs` (texts), `files` and `inputPaths` (files on the host, such as credentials).
 * `files` are the files that the service reads when it starts. Its ExecStartPre concatenates them into /run/tappass/revision/NAME.read, so
 * that a service which started while a file was edited is restarted once the file is corrected.
 * A unit that runs another revision is restarted. `listensAt` is where a socket has to listen. Its file says nothing else that a
 * `daemon-reload` does not apply, so only another address ends it: then the units in `restartedTogether`, which hold the old one, are
 * stopped before and started after it (systemd does not start a socket while its service runs). `standby` is a unit that serves in
 * its place meanwhile: it is started before and stopped after; one that does not start leaves the running process as it is.
 * `isEnabled` and `isRunning` default to true; with false that property is not managed.
 * `serving` is how the unit's status (STATUS=) begins while it is well: a start and a restart fail without it, and the unit's health is
 * judged by it. Such a unit is also restarted when libraries that it has loaded were replaced on the disk, as by a security update. With `rollout` an instance is moved by itself: what its template says stays in force until all are.
 */
export type UnitOptions = Readonly<{
  name: string
  content?: PerHost<string>
  inputs?: readonly string[]
  files?: readonly Readonly<{ path: string; content: PerHost<string> }>[]
  inputPaths?: readonly string[]
  revision?: string
  listensAt?: Readonly<{ host: string; port: number }>
  restartedTogether?: readonly string[]
  standby?: string
  isEnabled?: boolean
  isRunning?: boolean
  serving?: string
  rollout?: RolloutFiles
}>

function isTemplate(name: string): boolean {
  return name.includes('@.')
}
function isInstance(name: string): boolean {
  return /@[^.]/.test(name)
}

/** Longer than the longest TimeoutStartSec= and TimeoutStopSec= of a unit of ours (half an hour of migrations): systemd's own verdict comes first. */
const JOB_MINUTES = 40

function job(verb: 'start' | 'stop' | 'restart', ...names: readonly string[]): Command {
  return within(JOB_MINUTES, changeCommand('systemctl', verb, ...names))
}

async function desiredUnit(getFact: GetFact, options: UnitOptions): Promise<UnitText> {
  const { content, files = [] } = options
  if (content !== undefined) return resolveUnitText(getFact, { ...options, content })
  const read = await Promise.all(files.map((file) => resolvePerHost(getFact, file.content)))
  return { text: '', revision: options.revision, read }
}

async function textOf(desired: Promise<UnitText>): Promise<string> {
  return (await desired).text
}

async function planUnitFile(getFact: GetFact, { name, content }: UnitOptions, desired: Promise<UnitText>) {
  if (content === undefined || isInstance(name)) return []
  return await planFile(getFact, { path: unitPath(name), ...ROOT_FILE }, textOf(desired))
}

/** With what has systemd read the written file. */
function reloading(changes: readonly Change[]): readonly Change[] {
  return changes.map((each): Change => ({ ...each, commands: [...each.commands, RELOAD_COMMAND] }))
}

function reloadChanges({ name }: UnitOptions, state: UnitState): readonly Change[] {
  if (!state.isReloadNeeded) return []
  return [
    {
      action: 'reload systemd units',
      reason: `${name} changed on disk; daemon-reload needed`,
      commands: [RELOAD_COMMAND],
    },
  ]
}

function enableChanges({ name, isEnabled = true }: UnitOptions, state: UnitState): readonly Change[] {
  if (!isEnabled || state.enabled === 'enabled' || state.enabled === 'static') return []
  const enable = changeCommand('systemctl', 'enable', name)
  const reason = `it is ${state.enabled || 'new'}`
  const isMasked = state.load === 'masked'
  return [
    {
      action: `enable ${name}`,
      reason,
      commands: isMasked ? [changeCommand('systemctl', 'unmask', name), enable] : [enable],
    },
  ]
}

/** The job that brings a unit up; one that tells its status is waited for by that. */
function upCommand({ name, serving }: UnitOptions, verb: 'start' | 'restart'): Command {
  return serving === undefined ? job(verb, name) : serveCommand(verb, name, serving)
}

function startChanges(options: UnitOptions, state: UnitState, before: readonly Command[]): readonly Change[] {
  const { name } = options
  // `restart` while a unit waits for its next attempt: `start` would wait with it.
  const start = upCommand(options, state.active === 'activating' ? 'restart' : 'start')
  const waiting = state.active === 'activating' && state.status !== '' ? `: ${state.status}` : ''
  const reason = state.load === 'not-found' ? 'it is new' : `it is ${state.active} (${state.sub})${waiting}`
  const reset = state.active === 'failed' ? [changeCommand('systemctl', 'reset-failed', name)] : []
  // Services that run without their socket hold the old one, so that no new one can be opened.
  const others = state.load === 'not-found' ? [] : (options.restartedTogether ?? [])
  const stop = others.length === 0 ? [] : [job('stop', ...others)]
  return [{ action: `start ${name}`, reason, commands: commandsOf([...before, ...reset, ...stop], start) }]
}

function commandsOf(before: readonly Command[], last: Command): readonly [Command, ...Command[]] {
  const [first, ...rest] = [...before, last]
  return [first ?? last, ...rest]
}

/** Returns why the running process is out of date; undefined when it is not. */
function restartReason(
  { files, listensAt, serving }: UnitOptions,
  state: UnitState,
  { revision, read }: UnitText,
  { readDigest, isListening }: Readonly<{ readDigest: string | undefined; isListening: boolean }>,
): string | undefined {
  if (listensAt !== undefined && !isListening) return `nothing listens at ${listensAt.host}:${listensAt.port}`
  if (revision !== undefined && state.revision !== revision)
    return `it runs revision ${state.revision ?? 'unknown'}, not ${revision}`
  // What holds no code of its own, or only waits, is not worth an interruption.
  if (serving !== undefined && state.replacedLibraries.length > 0)
    return `it still uses libraries that were replaced: ${state.replacedLibraries.join(' ')}`
  if (files === undefined) return undefined
  const hash = createHash('sha256')
  for (const content of read) hash.update(content)
  return readDigest === hash.digest('hex') ? undefined : 'it was started with older configuration files'
}

function restartChanges(
  options: UnitOptions,
  reason: string | undefined,
  before: readonly Command[],
): readonly Change[] {
  if (reason === undefined) return []
  const { name, restartedTogether: others = [], standby } = options
  if (standby !== undefined) {
    const action = `restart ${name} while ${standby} serves`
    const commands = [job('start', standby), job('restart', name), job('stop', standby)] as const
    return [{ action, reason, commands }]
  }
  return others.length === 0
    ? [{ action: `restart ${name}`, reason, commands: commandsOf(before, upCommand(options, 'restart')) }]
    : [
        {
          action: `restart ${name} with ${others.join(' ')}`,
          reason,
          commands: [job('stop', name, ...others), job('start', name, ...others)],
        },
      ]
}

/** What a run left that was ended between the steps of a restart, or failed at the first. */
function standbyChanges({ name }: UnitOptions, state: UnitState | undefined): readonly Change[] {
  if (state === undefined || state.active === 'inactive' || state.active === 'deactivating') return []
  const verb = state.active === 'failed' ? 'reset-failed' : 'stop'
  const stop = changeCommand('systemctl', verb, state.name)
  return [{ action: `${verb} ${state.name}`, reason: `${name} serves by itself`, commands: [stop] }]
}

/** The unit: plans `daemon-reload`, `enable`, `start` or `restart` as needed; systemctl waits until the unit is up. */
export function unit(options: UnitOptions): Resource {
  return {
    id: `unit:${options.name}`,
    absent: async (getFact) => {
      // That of another package goes with its package, or stays.
      if (options.content === undefined) return []
      // Of a template only instances run, and they are resources of their own.
      if (isTemplate(options.name)) return await planTemplateAbsent(getFact, options.name)
      return await planUnitAbsent(getFact, options.name)
    },
    plan: async (getFact) => {
      const { listensAt } = options
      const desired = desiredUnit(getFact, options)
      const isReading = options.files !== undefined && !isTemplate(options.name)
      const [file, state, desiredState, readDigest, before, standby, isListening] = await Promise.all([
        planUnitFile(getFact, options, desired),
        isTemplate(options.name) ? undefined : getFact(unitFact(options.name)),
        desired,
        isReading ? getFact(digestFact(`${HOST_PATH.revisionFolder}/${options.name}.read`)) : undefined,
        options.rollout === undefined ? [] : overrideCommands(getFact, options.rollout, options.name, textOf(desired)),
        options.standby === undefined ? undefined : getFact(unitFact(options.standby)),
        listensAt === undefined || getFact(listeningFact(listensAt.host, listensAt.port)),
      ])
      if (state === undefined) return reloading(file)
      const enabling = enableChanges(options, state)
      // `systemctl enable` has systemd read its units again: once is enough for one that it has never seen.
      const isReadOnce = state.load === 'not-found' && enabling.length > 0
      const isUp = state.active === 'active' || state.active === 'reloading'
      const reason = restartReason(options, state, desiredState, { readDigest, isListening })
      const running = isUp ? restartChanges(options, reason, before) : startChanges(options, state, before)
      return [
        ...(isReadOnce ? file : reloading(file)),
        // A change of the file includes daemon-reload.
        ...(file.length === 0 ? reloadChanges(options, state) : []),
        ...enabling,
        ...(options.isRunning === false ? [] : running),
        ...(isUp && reason !== undefined ? [] : standbyChanges(options, standby)),
      ]
    },
    ...(options.serving === undefined ? {} : { health: unitHealth(options.name, options.serving) }),
    ...(options.content === undefined || isInstance(options.name)
      ? {}
      : {
          files: async (getFact) => [
            { path: unitPath(options.name), content: await textOf(desiredUnit(getFact, options)) },
          ],
        }),
  }
}

function unitHealth(name: string, serving: string): NonNullable<Resource['health']> {
  return async (getFact) => {
    const { active, status } = await getFact(unitFact(name))
    return active === 'active' && status.startsWith(serving) ? undefined : `${name} (${status || active})`
  }
}
