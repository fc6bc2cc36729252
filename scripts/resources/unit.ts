/** A systemd unit: its file, whether it is enabled and running, and the revision of its inputs that it runs. */

import { createHash } from 'node:crypto'
import { HOST_PATH } from '../../contract/path.ts'
import { changeCommand, within } from '../core/command.ts'
import type { Command, GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { REVISION_PLACEHOLDER, revisionOf } from '../core/revision.ts'
import { type PerHost, resolvePerHost } from '../facts/host-trait.ts'
import { digestFact } from '../facts/path.ts'
import { type UnitState, unitFact } from '../facts/unit.ts'
import { planFile } from '../files/file-change.ts'

/**
 * `name` is the full unit name. A template (`tappass@.service`) only writes the file; its instance (`tappass@1.service`, with the same
 * `content` and `inputs`) is enabled, started and restarted, and writes no file.
 * Without `content` the unit belongs to another package (docker.service): only its state is managed, and its `revision` if one is given
 * (in a drop-in of ours).
 * `content` contains `@REVISION@` (core/revision.ts) as placeholder for the revision:
 *  - `Environment=TAPPASS_REVISION=@REVISION@`: read back from the running main process;
 *  - `ExecStartPost=/bin/sh -c 'echo @REVISION@ >/run/tappass/revision/%n'`: for sockets and oneshots with
 *    RemainAfterExit=yes, which have no process; read back from that file;
 *  - neither (timers, targets, oneshots that timers start): nothing is restarted, `daemon-reload` is enough.
 * The revision is a hash over content, `inputs` (texts), `files` and `inputPaths` (files on the host, such as credentials).
 * `files` are the files that the service reads when it starts. Its ExecStartPre concatenates them into /run/tappass/revision/NAME.read, so
 * that a service which started while a file was edited is restarted once the file is corrected.
 * A unit that runs another revision is restarted. Units in `restartedTogether` are stopped before and started after it, as a socket
 * needs (systemd does not start a socket while its service runs).
 * `isEnabled` and `isRunning` default to true; with false that property is not managed.
 */
export type UnitOptions = Readonly<{
  name: string
  content?: PerHost<string>
  inputs?: readonly string[]
  files?: readonly Readonly<{ path: string; content: string }>[]
  inputPaths?: readonly string[]
  revision?: string
  restartedTogether?: readonly string[]
  isEnabled?: boolean
  isRunning?: boolean
}>

const ROOT_FILE = { owner: 'root', group: 'root', mode: '0644' } as const
function isTemplate(name: string): boolean {
  return name.includes('@.')
}
function isInstance(name: string): boolean {
  return /@[^.]/.test(name)
}
const RELOAD_COMMAND = changeCommand('systemctl', 'daemon-reload')

/** Longer than the longest TimeoutStartSec= and TimeoutStopSec= of a unit of ours (half an hour of migrations): systemd's own verdict comes first. */
const JOB_MINUTES = 40

function job(verb: 'start' | 'stop' | 'restart', ...names: readonly string[]): Command {
  return within(JOB_MINUTES, changeCommand('systemctl', verb, ...names))
}

/** The desired text of the unit, and its revision: undefined where the text has no placeholder. */
type DesiredUnit = Readonly<{ text: string; revision: string | undefined }>

async function desiredUnit(getFact: GetFact, options: UnitOptions): Promise<DesiredUnit> {
  const { content, inputs = [], files = [], inputPaths = [] } = options
  if (content === undefined) return { text: '', revision: options.revision }
  const [text, ...digests] = await Promise.all([
    resolvePerHost(getFact, content),
    ...inputPaths.map((path) => getFact(digestFact(path))),
  ])
  if (!text.includes(REVISION_PLACEHOLDER)) return { text, revision: undefined }
  const revision = revisionOf([
    text,
    ...inputs,
    ...files.map((file) => file.content),
    ...digests.map((digest) => digest ?? 'absent'),
  ])
  return { text: text.replaceAll(REVISION_PLACEHOLDER, revision), revision }
}

async function planUnitFile(getFact: GetFact, { name, content }: UnitOptions, desired: Promise<DesiredUnit>) {
  if (content === undefined || isInstance(name)) return []
  const text = desired.then((unitText) => unitText.text)
  const changes = await planFile(getFact, { path: `/etc/systemd/system/${name}`, ...ROOT_FILE }, text)
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

function startChanges({ name }: UnitOptions, state: UnitState): readonly Change[] {
  // `restart` while a unit waits for its next attempt: `start` would wait with it.
  const start = job(state.active === 'activating' ? 'restart' : 'start', name)
  const reason = state.load === 'not-found' ? 'it is new' : `it is ${state.active} (${state.sub})`
  const isFailed = state.active === 'failed'
  return [
    {
      action: `start ${name}`,
      reason,
      commands: isFailed ? [changeCommand('systemctl', 'reset-failed', name), start] : [start],
    },
  ]
}

/** Returns why the running process is out of date; undefined when it is not. */
function restartReason(
  { files }: UnitOptions,
  state: UnitState,
  revision: string | undefined,
  readDigest: string | undefined,
): string | undefined {
  if (revision !== undefined && state.revision !== revision)
    return `it runs revision ${state.revision ?? 'unknown'}, not ${revision}`
  if (files === undefined) return undefined
  const hash = createHash('sha256')
  for (const { content } of files) hash.update(content)
  return readDigest === hash.digest('hex') ? undefined : 'it was started with older configuration files'
}

function restartChanges(options: UnitOptions, reason: string | undefined): readonly Change[] {
  if (reason === undefined) return []
  const { name, restartedTogether: others = [] } = options
  return others.length === 0
    ? [{ action: `restart ${name}`, reason, commands: [job('restart', name)] }]
    : [
        {
          action: `restart ${name} with ${others.join(' ')}`,
          reason,
          commands: [job('stop', name, ...others), job('start', name, ...others)],
        },
      ]
}

/** The unit: plans `daemon-reload`, `enable`, `start` or `restart` as needed; systemctl waits until the unit is up. */
export function unit(options: UnitOptions): Resource {
  return {
    id: `unit:${options.name}`,
    plan: async (getFact) => {
      const desired = desiredUnit(getFact, options)
      const isReading = options.files !== undefined && !isTemplate(options.name)
      const [file, state, { revision }, readDigest] = await Promise.all([
        planUnitFile(getFact, options, desired),
        isTemplate(options.name) ? undefined : getFact(unitFact(options.name)),
        desired,
        isReading ? getFact(digestFact(`${HOST_PATH.revisionFolder}/${options.name}.read`)) : undefined,
      ])
      if (state === undefined) return file
      const isUp = state.active === 'active' || state.active === 'reloading'
      const reason = restartReason(options, state, revision, readDigest)
      const running = isUp ? restartChanges(options, reason) : startChanges(options, state)
      return [
        ...file,
        // A change of the file includes daemon-reload.
        ...(file.length === 0 ? reloadChanges(options, state) : []),
        ...enableChanges(options, state),
        ...(options.isRunning === false ? [] : running),
      ]
    },
  }
}
