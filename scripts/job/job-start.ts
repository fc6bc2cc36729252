/** Hands a run over to its host: what it needs is sent, and the run goes on there as a transient unit. */
import { HOST_PATH } from '../../contract/path.ts'
import { filesOfSpec, inputsText, type SentFiles } from '../artifacts/sent-file.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOptions } from '../command-line/invocation.ts'
import { RUN_UNIT } from '../converge/host-lock.ts'
import type { HandedRun, HandOver } from '../converge/locked-run.ts'
import type { Plan } from '../converge/plan.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Stdin } from '../core/host.ts'
import type { HostSession } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { settingsText } from '../spec/settings-text.ts'
import { prepareCommand, sendFileCommand, sendPagesCommand, sendSecretCommand, startCommand } from './job-command.ts'
import { JOB_PATH, type Job, jobText } from './job-file.ts'
import { watchJob } from './job-watch.ts'
import { toolkitOf } from './toolkit-part.ts'

type Streamed = Extract<Stdin, { open: unknown }>

/** What the changes of a plan read from this machine as they run. */
function streamsOf({ planned }: Plan): readonly Streamed[] {
  return planned.flatMap(({ changes }) =>
    changes.flatMap(({ commands }) =>
      commands.flatMap(({ stdin }) => (typeof stdin === 'object' && 'open' in stdin ? [stdin] : [])),
    ),
  )
}

type Sending = Readonly<{ commands: readonly Command[]; part: Pick<Job, 'files' | 'pagesFolder' | 'secrets'> }>

/** The files that the plan needs. On this machine itself they are where they are. */
function sendFiles(spec: HostSpec, plan: Plan, isHere: boolean): Readonly<{ commands: Command[]; files: SentFiles }> {
  const streams = streamsOf(plan)
  const needed = Object.entries(filesOfSpec(spec)).filter(([, path]) => streams.some((each) => each.path === path))
  if (isHere) return { commands: [], files: Object.fromEntries(needed) }
  const placed = needed.map(
    ([key, path]) => [key, path, `${HOST_PATH.sentFilesFolder}/${key.replace(':', '-')}`] as const,
  )
  return {
    files: Object.fromEntries(placed.map(([key, , there]) => [key, there])),
    commands: placed.flatMap(([, path, there]) => {
      const stream = streams.find((each) => each.path === path)
      return stream === undefined ? [] : [sendFileCommand(there, stream)]
    }),
  }
}

function sendingOf({ history: { spec }, plan }: HandedRun, isHere: boolean): Sending {
  const { commands, files } = sendFiles(spec, plan, isHere)
  const pages = spec.site === 'none' ? undefined : spec.site.pages
  const arePagesSent = pages !== undefined && streamsOf(plan).some(({ identity }) => identity === pages.version)
  const pagesFolder = arePagesSent ? `${HOST_PATH.sentFilesFolder}/pages` : null
  const secrets = Object.entries(spec.secrets).map(([id, secret]) => [id, secret, `${JOB_PATH.secrets}/${id}`] as const)
  return {
    commands: [
      ...commands,
      ...(pagesFolder === null || pages === undefined ? [] : [sendPagesCommand(pagesFolder, { open: pages.open })]),
      ...secrets.map(([, secret, path]) => sendSecretCommand(path, secret.readValue())),
    ],
    part: { files, pagesFolder, secrets: Object.fromEntries(secrets.map(([id, , path]) => [id, path])) },
  }
}

function jobOf(invocation: Invocation, { target }: HostSession, handed: HandedRun, part: Sending['part']): Job {
  const { holder, history, applied, outside = null } = handed
  const { spec } = history
  const { owner, controller, verb, token } = holder.owner
  return {
    ...{ verb, target: target.name, user: owner, controller, token, retryCommand: holder.retryCommand },
    ...{ release: spec.release.version, pages: spec.site === 'none' ? null : spec.site.pages.version },
    only: [...textOptions(invocation, 'only')],
    ...{ settings: settingsText(spec), inputs: inputsText(spec), ...part },
    rotation: spec.rotation === undefined ? null : { ...spec.rotation, ids: [...spec.rotation.ids] },
    ...{ releaseChange: spec.releaseChange ?? null, data: spec.data ?? null },
    ...{ outside, operator: history.operator ?? null, restored: history.restored ?? null, applied: [...applied] },
  }
}

/** Returns what hands a run over: used once the host has the toolkit, with the lock of the host held. */
export function createHandOver(invocation: Invocation): HandOver {
  const attachCommand = hostCommandHint(invocation, 'attach')
  const start: HandOver['start'] = async (host, handed) => {
    const { commands, part } = sendingOf(handed, host.target.address === undefined)
    const job = jobOf(invocation, host, handed, part)
    const release = `${HOST_PATH.releasesFolder}/${job.release}`
    for (const command of [prepareCommand(jobText(job)), ...commands, startCommand(release)]) {
      const { code, stderr } = await host.run(command)
      if (code === 0) continue
      throw new Failure({
        what: 'the run cannot go on as a unit of the host',
        why: stderr.trim(),
        next: handed.holder.retryCommand,
      })
    }
    host.emit({ event: 'handed-over', unit: RUN_UNIT, next: attachCommand })
    return await watchJob(invocation, host, { attachCommand, isOwn: true })
  }
  // What a bundle holds stays where it is, and is read from there step by step.
  const isFromBundle = isGiven(invocation, 'bundle')
  return { part: (resources) => (isFromBundle ? undefined : toolkitOf(resources)), start }
}
