/** A run of the log as something that can be planned again: the settings that it recorded, and the files of the controller by their digests. */
import { HOST_PATH } from '../../contract/path.ts'
import { type KeptInputs, parseInputs, withInputs } from '../artifacts/sent-file.ts'
import type { FailureText } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { type Generation, outcomeOf } from '../history/entry.ts'
import { type GenerationRecord, readGeneration } from '../history/generation-view.ts'
import { storedText } from '../history/history-fact.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import type { Plan } from './plan.ts'

/** A run that reached its end, with what it kept. `settings` is the text of the host's settings after it. */
export type KeptRun = Readonly<{
  generation: Generation
  record: GenerationRecord
  settings: string
  inputs: KeptInputs
}>

/** With these everything was as the run wanted it. */
const REACHED: readonly string[] = ['up-to-date', 'unhealthy']

/** Whether the run ended with everything as it should be. */
export function isReached(generation: Generation): boolean {
  return REACHED.includes(outcomeOf(generation))
}

/** A file that is not as the run wanted it is not its own. */
async function textThen(getFact: GetFact, { end, state }: GenerationRecord, path: string): Promise<string | undefined> {
  const sha256 = state?.files.find((each) => each.path === path)?.sha256
  const desired = end?.files.find((each) => each.path === path)?.sha256
  return sha256 === undefined || sha256 !== desired ? undefined : await storedText(getFact, sha256)
}

/** Returns the base that a run left; undefined for one that did not reach its end, had a part of the roles only, or was of a release that kept less. */
export async function readKeptRun(getFact: GetFact, generation: Generation): Promise<KeptRun | undefined> {
  if (!isReached(generation)) return undefined
  const record = await readGeneration(getFact, generation)
  const [settings, text] = await Promise.all([
    textThen(getFact, record, HOST_PATH.settings),
    textThen(getFact, record, HOST_PATH.inputs),
  ])
  const inputs = text === undefined ? undefined : parseInputs(text)
  return settings === undefined || inputs === undefined ? undefined : { generation, record, settings, inputs }
}

/** Returns the base of the last run that left one. */
export async function lastKeptRun(getFact: GetFact, generations: readonly Generation[]): Promise<KeptRun | undefined> {
  for (const generation of generations.toReversed()) {
    const base = await readKeptRun(getFact, generation)
    if (base !== undefined) return base
  }
  return undefined
}

/** Returns its specification. `read` makes one of the text of settings. */
export async function specOfRun(
  { settings, inputs }: KeptRun,
  read: (settings: string) => Promise<HostSpec>,
): Promise<HostSpec> {
  return withInputs(await read(settings), inputs)
}

/** Returns why a specification is not the one of the run, though the settings are: what the tool brings along is another. */
export function toolDifference(base: KeptRun, spec: HostSpec): string | undefined {
  const { begun, number } = base.generation
  if (begun.release !== spec.release.version)
    return `run ${number} was of release ${begun.release}, and this is ${spec.release.version}`
  const pages = base.record.begin?.spec['site.pages.version']
  const own = spec.site === 'none' ? undefined : spec.site.pages.version
  return pages === own ? undefined : `run ${number} had the pages ${pages ?? 'none'}, and these are ${own ?? 'none'}`
}

/** Returns a reason for each change of the plan that needs a file which is on the controller only. */
export function missingInputs({ planned }: Plan): readonly FailureText[] {
  return planned.flatMap(({ resource, changes }) =>
    changes
      .filter(({ commands }) => commands.some(({ stdin }) => typeof stdin === 'object' && 'isElsewhere' in stdin))
      .map(({ action, reason }) => ({
        what: `a file of the controller is needed: ${action}`,
        where: resource.id,
        why: `${reason}; of that file the host has kept the digest only`,
        next: 'tappass bootstrap --config FILE, with the host.yaml that names the file',
      })),
  )
}
