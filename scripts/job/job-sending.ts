/** What a run that goes on on its host is sent beside its job file: files, pages, secrets; and where the unit finds them. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Located } from '../artifacts/artifact.ts'
import { nameOf, openArchive } from '../artifacts/artifact.ts'
import { filesOfSpec, type SentFiles } from '../artifacts/sent-file.ts'
import type { HandedRun } from '../converge/locked-run.ts'
import type { Plan } from '../converge/plan.ts'
import type { Command, Stdin } from '../core/host.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { sendFileCommand, sendPagesCommand, sendSecretCommand } from './job-command.ts'
import { JOB_PATH, type Job } from './job-file.ts'

type Streamed = Extract<Stdin, { open: unknown }>

/** `commands` send it, `part` is what of it stands in the job file. */
export type Sending = Readonly<{
  commands: readonly Command[]
  part: Pick<Job, 'files' | 'pagesFolder' | 'secrets' | 'bundle'>
}>

/** What the changes of a plan read from this machine as they run. */
function streamsOf({ planned }: Plan): readonly Streamed[] {
  return planned.flatMap(({ changes }) =>
    changes.flatMap(({ commands }) =>
      commands.flatMap(({ stdin }) => (typeof stdin === 'object' && 'open' in stdin ? [stdin] : [])),
    ),
  )
}

type Needed = Readonly<{ key: string; located: Located; stream: Streamed }>

/** The files that the plan needs, each once. */
function neededFiles(spec: HostSpec, plan: Plan): readonly Needed[] {
  const streams = streamsOf(plan)
  return Object.entries(filesOfSpec(spec)).flatMap(([key, located]) => {
    const stream = streams.find(({ identity }) => identity === key)
    return stream === undefined ? [] : [{ key, located, stream }]
  })
}

/** On this machine itself they are where they are. */
function sendFiles(needed: readonly Needed[], isHere: boolean): Readonly<{ commands: Command[]; files: SentFiles }> {
  if (isHere) return { commands: [], files: Object.fromEntries(needed.map(({ key, located }) => [key, located])) }
  // By the digest of its bytes, by which what has arrived is found again.
  const pathOf = ({ key, stream: { resumable } }: Needed) =>
    `${HOST_PATH.sentFilesFolder}/${typeof resumable === 'object' ? resumable.sha256 : key.replace(':', '-')}`
  return {
    files: Object.fromEntries(
      needed.map((each) => [each.key, { file: pathOf(each), name: nameOf(each.located) }] as const),
    ),
    commands: needed.map((each) => sendFileCommand(pathOf(each), each.stream)),
  }
}

function bundleOf({ bundle }: HostSpec): Job['bundle'] {
  if (bundle === undefined) return null
  const packages = Object.entries(bundle.packages).map(([id, { sha256 }]) => [id, sha256] as const)
  return { platform: bundle.platform, packages: Object.fromEntries(packages) }
}

/** Returns what a run needs for what it has planned. */
export function sendingOf({ history: { spec }, plan }: HandedRun, isHere: boolean): Sending {
  const { commands, files } = sendFiles(neededFiles(spec, plan), isHere)
  const pages = spec.site === 'none' ? undefined : spec.site.pages
  const arePagesSent = pages !== undefined && streamsOf(plan).some(({ identity }) => identity === pages.version)
  const pagesFolder = arePagesSent ? `${HOST_PATH.sentFilesFolder}/pages` : null
  const secrets = Object.entries(spec.secrets).map(([id, secret]) => [id, secret, `${JOB_PATH.secrets}/${id}`] as const)
  return {
    commands: [
      ...commands,
      ...(pagesFolder === null || pages === undefined ? [] : [sendPagesCommand(pagesFolder, openArchive(pages))]),
      ...secrets.map(([, secret, path]) => sendSecretCommand(path, secret.readValue())),
    ],
    part: {
      ...{ files, pagesFolder, bundle: bundleOf(spec) },
      secrets: Object.fromEntries(secrets.map(([id, , path]) => [id, path])),
    },
  }
}
