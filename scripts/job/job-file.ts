/** What a run is given that goes on as a unit of its host: written by the controller, read by the unit. Secrets and files stand beside it. */
import * as v from 'valibot'
import { HOST_PATH } from '../../contract/path.ts'
import { hostPlanSchema } from '../converge/plan-file.ts'
import { ROTATION_MODES } from '../secrets/secret-rotation.ts'
import { DATA_CHOICES } from '../spec/host-spec.ts'

const named = v.record(v.string(), v.string())
const texts = v.array(v.string())

const located = v.strictObject({
  file: v.string(),
  part: v.exactOptional(v.strictObject({ start: v.number(), end: v.number() })),
  name: v.exactOptional(v.string()),
})

const contract = v.strictObject({
  plan: v.strictObject({ planned: hostPlanSchema, salt: v.string(), digest: v.string(), next: v.string() }),
  progress: v.strictObject({
    applied: v.array(v.strictObject({ resource: v.string(), paths: texts })),
    done: texts,
    asked: v.record(v.string(), v.array(v.strictObject({ paths: texts, isOfPaths: v.boolean(), isDeep: v.boolean() }))),
  }),
})

const schema = v.strictObject({
  /** What the run was typed for, by whom, and from where; `target` is the name of the host there. */
  verb: v.string(),
  target: v.string(),
  user: v.string(),
  controller: v.string(),
  retryCommand: v.string(),
  /** The token of the lock that the run goes on with. */
  token: v.string(),
  /** The versions of the toolkit and of the pages; others would make something else of the same settings. */
  release: v.string(),
  pages: v.nullable(v.string()),
  only: texts,
  /** The texts that a host keeps of its settings and of the files of the controller. */
  settings: v.string(),
  inputs: v.string(),
  /** Where such files are by now, by their digests. */
  files: v.record(v.string(), located),
  /** The bundle in place of the network: the digests of its packages, by the resources that install them. */
  bundle: v.nullable(v.strictObject({ platform: v.string(), packages: named })),
  /** Where the pages are, if they were sent; else they are where the last run has put them. */
  pagesFolder: v.nullable(v.string()),
  /** The secrets that were provided, by their ids: the files with their values. */
  secrets: named,
  rotation: v.nullable(
    v.strictObject({ ids: v.array(v.string()), storedBefore: v.number(), mode: v.picklist(ROTATION_MODES) }),
  ),
  releaseChange: v.nullable(v.strictObject({ soakSeconds: v.number(), isFinishing: v.boolean() })),
  data: v.nullable(v.picklist(DATA_CHOICES)),
  /** How the ingress has to answer from outside after a change of it. */
  outside: v.nullable(
    v.strictObject({
      ...{ host: v.string(), port: v.number(), isFitting: v.boolean(), isTrusted: v.boolean() },
      seconds: v.number(),
    }),
  ),
  operator: v.nullable(v.string()),
  restored: v.nullable(v.number()),
  applied: v.array(v.strictObject({ resource: v.string(), action: v.string() })),
  /** The plan on file that it is held to. */
  contract: v.nullable(contract),
  /** An uninstall: whether the data goes, too, and what is told to be left. */
  removal: v.nullable(
    v.strictObject({ isWithData: v.boolean(), left: v.array(v.strictObject({ what: v.string(), why: v.string() })) }),
  ),
})

/** A run, as its unit is given it. */
export type Job = v.InferOutput<typeof schema>

/** Where it stands on the host. What is in `secrets` is gone when the run has ended. */
export const JOB_PATH = {
  job: `${HOST_PATH.runFolder}/job.json`,
  events: `${HOST_PATH.runFolder}/events.jsonl`,
  /** Who watches the run holds a shared lock on it. */
  watchers: `${HOST_PATH.runFolder}/watchers`,
  secrets: `${HOST_PATH.runFolder}/secrets`,
} as const

/** Returns the text of the file. */
export function jobText(job: Job): string {
  return `${JSON.stringify(job)}\n`
}

/** Reads the text of the file. Throws for one that the controller of this release has not written: a defect. */
export function parseJob(text: string): Job {
  return v.parse(schema, JSON.parse(text))
}
