/** A systemd unit: its file, whether it is enabled and running, and which revision of its inputs it runs. */
import { createHash } from 'node:crypto'
import { change } from '../core/command.ts'
import type { Know } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { REVISION_PLACEHOLDER, revisionOf } from '../core/revision.ts'
import { type ByHost, forHost } from '../facts/host-trait.ts'
import { digestFact } from '../facts/path.ts'
import { type UnitState, unitFact } from '../facts/unit.ts'
import { planFile } from '../files/file-change.ts'

/**
 * `name` is the full unit name. Of a template, `tappass@.service` lays down the file only and `tappass@1.service`
 * (with the same `content` and `inputs`) is an instance that enables, starts and restarts; it writes no file.
 * Without `content` the unit is another package's (docker.service): its state is looked after, and its `revision` where one is given
 * (a drop-in of ours then carries it).
 * `content` holds `@REVISION@` (core/revision.ts) where its revision belongs:
 *  - `Environment=TAPPASS_REVISION=@REVISION@`: read back from the running main process;
 *  - `ExecStartPost=/bin/sh -c 'echo @REVISION@ >/run/tappass/revision/%n'`: for sockets and oneshots with
 *    RemainAfterExit=yes, which have no process; read back from that file;
 *  - neither (timers, targets, oneshots that timers start): nothing is restarted, `daemon-reload` is enough.
 * The revision is a hash over content, `inputs` (texts), `files` and `inputPaths` (files on the host, such as credentials).
 * `files` are those that the service reads when it starts. Its ExecStartPre copies them, one after the other, to
 * /run/tappass/revision/NAME.read, so that one which started while a file was edited is restarted when the file is mended.
 * A unit that runs another revision is restarted; units named in `restartedTogether` are stopped before and started after it, as
 * a socket needs (systemd refuses to start one whose service runs).
 * `isEnabled` and `isRunning` are true unless given; false leaves that side alone.
 */
export type UnitOptions = Readonly<{
  name: string
  content?: ByHost<string>
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
const reload = change('systemctl', 'daemon-reload')

/** The unit's text as wanted, and the revision in it: undefined where the text has no place for one. */
type Wanted = Readonly<{ text: string; revision: string | undefined }>

async function wantedOf(know: Know, options: UnitOptions): Promise<Wanted> {
  const { content, inputs = [], files = [], inputPaths = [] } = options
  if (content === undefined) return { text: '', revision: options.revision }
  const [text, ...digests] = await Promise.all([
    forHost(know, content),
    ...inputPaths.map((path) => know(digestFact(path))),
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

async function planUnitFile(know: Know, { name, content }: UnitOptions, wanted: Promise<Wanted>) {
  if (content === undefined || isInstance(name)) return []
  const text = wanted.then((known) => known.text)
  const changes = await planFile(know, { path: `/etc/systemd/system/${name}`, ...ROOT_FILE }, text)
  return changes.map((each): Change => ({ ...each, commands: [...each.commands, reload] }))
}

function reloading({ name }: UnitOptions, state: UnitState): readonly Change[] {
  if (!state.isReloadNeeded) return []
  return [{ does: 'reload the units', because: `systemd has an older ${name} in mind`, commands: [reload] }]
}

function enabling({ name, isEnabled = true }: UnitOptions, state: UnitState): readonly Change[] {
  if (!isEnabled || state.enabled === 'enabled' || state.enabled === 'static') return []
  const enable = change('systemctl', 'enable', name)
  const because = `it is ${state.enabled || 'new'}`
  const isMasked = state.load === 'masked'
  return [
    { does: `enable ${name}`, because, commands: isMasked ? [change('systemctl', 'unmask', name), enable] : [enable] },
  ]
}

function starting({ name }: UnitOptions, state: UnitState): readonly Change[] {
  // `restart` for one that waits for its next try: `start` would join the wait.
  const start = change('systemctl', state.active === 'activating' ? 'restart' : 'start', name)
  const because = state.load === 'not-found' ? 'it is new' : `it is ${state.active} (${state.sub})`
  const isFailed = state.active === 'failed'
  return [
    {
      does: `start ${name}`,
      because,
      commands: isFailed ? [change('systemctl', 'reset-failed', name), start] : [start],
    },
  ]
}

/** Why the running process is not the wanted one; undefined when it is. */
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
  return readDigest === hash.digest('hex') ? undefined : 'what it read when it started is not what it should read'
}

function restarting(options: UnitOptions, because: string | undefined): readonly Change[] {
  if (because === undefined) return []
  const { name, restartedTogether: others = [] } = options
  return others.length === 0
    ? [{ does: `restart ${name}`, because, commands: [change('systemctl', 'restart', name)] }]
    : [
        {
          does: `restart ${name} with ${others.join(' ')}`,
          because,
          commands: [change('systemctl', 'stop', name, ...others), change('systemctl', 'start', name, ...others)],
        },
      ]
}

/** Says `daemon-reload`, `enable`, `start` or `restart` as the state asks for; systemctl waits until the unit is up. */
export function unit(options: UnitOptions): Resource {
  return {
    id: `unit:${options.name}`,
    plan: async (know) => {
      const wanted = wantedOf(know, options)
      const isReading = options.files !== undefined && !isTemplate(options.name)
      const [file, state, { revision }, readDigest] = await Promise.all([
        planUnitFile(know, options, wanted),
        isTemplate(options.name) ? undefined : know(unitFact(options.name)),
        wanted,
        isReading ? know(digestFact(`/run/tappass/revision/${options.name}.read`)) : undefined,
      ])
      if (state === undefined) return file
      const isUp = state.active === 'active' || state.active === 'reloading'
      const because = restartReason(options, state, revision, readDigest)
      const running = isUp ? restarting(options, because) : starting(options, state)
      return [
        ...file,
        // A change of the file reloads already.
        ...(file.length === 0 ? reloading(options, state) : []),
        ...enabling(options, state),
        ...(options.isRunning === false ? [] : running),
      ]
    },
  }
}
