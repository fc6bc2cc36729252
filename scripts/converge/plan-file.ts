/** The file of plans: canonical JSON that only its owner may read, with the plan of each host and a digest over all. */
import { rename, writeFile } from 'node:fs/promises'
import * as v from 'valibot'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { canonicalJson, digestOf } from '../core/canonical.ts'
import { temporaryPath } from '../core/command.ts'
import { Failure, refusedFailure, usageFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import { readNamedFile } from '../spec/yaml-text.ts'
import type { HostPlan } from './plan-record.ts'

/** Rises when a field changes its meaning. */
const FORMAT = 'tappass-plan/1'

const rows = v.record(v.string(), v.string())
const command = v.strictObject({ run: v.string(), sha256: v.string(), stdin: v.exactOptional(v.string()) })
const change = v.strictObject({
  ...{ action: v.string(), reason: v.string(), sha256: v.string() },
  commands: v.array(command),
})
/** The plan of one host. */
export const hostPlanSchema = v.strictObject({
  spec: rows,
  facts: v.string(),
  resources: v.array(v.strictObject({ resource: v.string(), facts: rows, changes: v.array(change) })),
  duringRun: v.array(v.string()),
})
const schema = v.strictObject({
  format: v.literal(FORMAT),
  digest: v.string(),
  createdAt: v.string(),
  /** The release, which is the tool as well: its version has a digest over all its files. */
  release: v.string(),
  salt: v.string(),
  hosts: v.record(v.string(), hostPlanSchema),
})

/** The plans of all hosts of a run. */
export type PlanFile = Omit<v.InferOutput<typeof schema>, 'hosts'> &
  Readonly<{ hosts: Readonly<Record<string, HostPlan>> }>

/** Writes the file; an earlier one is replaced whole. Throws a `Failure` when it cannot be written. */
export async function writePlanFile(path: string, content: Omit<PlanFile, 'format' | 'digest'>): Promise<void> {
  const plans = { ...content, format: FORMAT }
  const text = `${canonicalJson({ ...plans, digest: digestOf(plans) }, 1)}\n`
  const candidate = temporaryPath(path)
  const writing = writeFile(candidate, text, { mode: 0o600 }).then(() => rename(candidate, path))
  await writing.catch((error: Error) => {
    const next = `check the path: ${quoteAll(['ls', '-ld', path])}`
    throw new Failure({ what: `cannot write ${path}`, why: error.message, next }, EXIT_CODE.failed, error)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads a file. `next` is what to type for another one. Throws a usage failure for what is no such file, and a `Failure` (exit 5) for one that was altered. */
export async function readPlanFile(path: string, next: string): Promise<PlanFile> {
  const parsed = parseJson(await readNamedFile(path))
  const result = v.safeParse(schema, parsed)
  if (!result.success) {
    const found = (parsed as { format?: unknown } | undefined)?.format
    const why = typeof found === 'string' && found !== FORMAT ? `${found}, not ${FORMAT}` : 'plan --out writes one'
    throw usageFailure(`${path} is no plan of this version (${why})`, next)
  }
  const { digest, ...plans } = result.output
  if (digestOf(plans) !== digest)
    throw refusedFailure(`${path} was changed after it was written`, 'its digest is another one', next)
  return result.output
}
