/** The text of a unit, and the revision that its process carries. */
import type { GetFact } from '../core/host.ts'
import { REVISION_PLACEHOLDER, revisionOf } from '../core/revision.ts'
import { type PerHost, resolvePerHost } from '../facts/host-trait.ts'
import { digestFact } from '../facts/path.ts'

/** What a unit is made of: its text with placeholders for the revision, and what else the revision covers (`UnitOptions`). */
export type UnitSource = Readonly<{
  content: PerHost<string>
  inputs?: readonly string[]
  files?: readonly Readonly<{ path: string; content: string }>[]
  inputPaths?: readonly string[]
}>

/** The desired text of a unit, and its revision: undefined where the text has no placeholder. */
export type UnitText = Readonly<{ text: string; revision: string | undefined }>

/** Returns the text for this host. */
export async function resolveUnitText(
  getFact: GetFact,
  { content, inputs = [], files = [], inputPaths = [] }: UnitSource,
): Promise<UnitText> {
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
