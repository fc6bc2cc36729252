/** The text of a unit, and the revision that its process carries. */
import type { GetFact } from '../core/host.ts'
import { REVISION_PLACEHOLDER, revisionOf } from '../core/revision.ts'
import { type PerHost, resolvePerHost } from '../facts/host-trait.ts'
import { digestFact } from '../facts/path.ts'

/** What a unit is made of: its text with placeholders for the revision, and what else the revision covers (`UnitOptions`). */
export type UnitSource = Readonly<{
  content: PerHost<string>
  inputs?: readonly string[]
  files?: readonly Readonly<{ path: string; content: PerHost<string> }>[]
  inputPaths?: readonly string[]
}>

/** The desired text of a unit, its revision (undefined where the text has no placeholder), and the files that it reads. */
export type UnitText = Readonly<{ text: string; revision: string | undefined; read: readonly string[] }>

/** Returns the text for this host. */
export async function resolveUnitText(
  getFact: GetFact,
  { content, inputs = [], files = [], inputPaths = [] }: UnitSource,
): Promise<UnitText> {
  const [text, read, ...digests] = await Promise.all([
    resolvePerHost(getFact, content),
    Promise.all(files.map((file) => resolvePerHost(getFact, file.content))),
    ...inputPaths.map((path) => getFact(digestFact(path))),
  ])
  if (!text.includes(REVISION_PLACEHOLDER)) return { text, revision: undefined, read }
  const revision = revisionOf([text, ...inputs, ...read, ...digests.map((digest) => digest ?? 'absent')])
  return { text: text.replaceAll(REVISION_PLACEHOLDER, revision), revision, read }
}
