/**
 * One chunk of a streamed response, split into text deltas and the rest, and rebuilt. Knows the format of OpenAI's
 * chunks, nothing of windows or verdicts.
 */
import { pointerToken } from './json-pointer.ts'

/** An item of a list on a path: its index, and its `type` where items are identified by position and not by `index`. */
type PathItem = Readonly<{ index: number; type: string | undefined }>

/** The path from a choice to one of its texts: names of members, and items of lists. */
type Path = readonly (string | PathItem)[]

/** A text that continues what earlier chunks sent at the same pointer. */
export type TextDelta = Readonly<{ pointer: string; choice: number; path: Path; text: string }>

/** The members of a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/**
 * A chunk without its text deltas. `isEmpty`: nothing else is in it, so it need not be sent. `ended`: choices that it
 * ends, whose held text is sent before it.
 */
export type ChunkShell = Readonly<{ chunk: JsonObject; isEmpty: boolean; ended: readonly number[] }>

/** Names of strings that are sent once and complete. Every other string is a delta, and is held back. */
const ATOMIC_FIELDS = new Set('role id type name finish_reason title url file_id call_id expires_at'.split(' '))

/** Members of a choice that repeat its text as tokens (OpenAI; vLLM's `return_token_ids`). */
export const TOKEN_LISTS: ReadonlySet<string> = new Set(['logprobs', 'token_ids', 'prompt_token_ids'])

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Splits a parsed chunk; undefined when it is not a chunk of a completion. Token lists are dropped, because they
 * repeat the text where it can't be held back, and so is padding that is new in every chunk.
 */
export function splitChunk(chunk: unknown): Readonly<{ shell: ChunkShell; deltas: readonly TextDelta[] }> | undefined {
  if (!isObject(chunk) || !Array.isArray(chunk['choices']) || !chunk['choices'].every(isObject)) return undefined
  const { obfuscation: _padding, ...rest } = chunk
  const deltas: TextDelta[] = []
  const ended: number[] = []
  const choices = chunk['choices'].map((choice: JsonObject) => {
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0
    if (typeof choice['finish_reason'] === 'string') ended.push(index)
    return extractDeltas(choice, index, [], deltas)
  })
  const isEmpty = choices.length > 0 && choices.every((choice) => hasNoContent(choice, ''))
  return { shell: { chunk: { ...rest, choices }, isEmpty, ended }, deltas }
}

/** Returns the value without text deltas, and adds those to `deltas`. */
function extractDeltas(value: unknown, choice: number, path: Path, deltas: TextDelta[]): unknown {
  if (typeof value === 'string') return extractText(value, choice, path, deltas)
  if (Array.isArray(value)) {
    return value.map((item: unknown, place) => extractDeltas(item, choice, [...path, itemOf(item, place)], deltas))
  }
  if (!isObject(value)) return value
  const rest: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const isTokens = path.length === 0 && TOKEN_LISTS.has(name)
    const kept = isTokens ? null : extractDeltas(member, choice, [...path, name], deltas)
    if (kept !== undefined) rest[name] = kept
  }
  return rest
}

function extractText(text: string, choice: number, path: Path, deltas: TextDelta[]): string | undefined {
  const name = path.at(-1)
  if (text === '' || (typeof name === 'string' && ATOMIC_FIELDS.has(name))) return text
  const pointer = path.map((step) => (typeof step === 'string' ? pointerToken(step) : String(step.index))).join('/')
  deltas.push({ pointer: `/choices/${choice}/${pointer}`, choice, path, text })
  return undefined
}

function itemOf(item: unknown, place: number): PathItem {
  if (!isObject(item)) return { index: place, type: undefined }
  if (typeof item['index'] === 'number') return { index: item['index'], type: undefined }
  return { index: place, type: typeof item['type'] === 'string' ? item['type'] : undefined }
}

/** True when nothing is left that a client would miss. */
function hasNoContent(value: unknown, name: string): boolean {
  if (name === 'index' || value === null || value === undefined || value === '') return true
  if (Array.isArray(value))
    return value.every((item) => hasNoContent(isContentPart(item) ? { ...item, type: null } : item, ''))
  return isObject(value) && Object.entries(value).every(([inner, member]) => hasNoContent(member, inner))
}

/** A content part that is identified by its position; `buildChunk` restores its type. */
function isContentPart(item: unknown): item is JsonObject {
  return isObject(item) && typeof item['index'] !== 'number'
}

/** Given the members that all chunks share and a text that may leave, returns a chunk with just that text. */
export function buildChunk(envelope: JsonObject, { choice, path }: TextDelta, text: string): JsonObject {
  const content = wrapText(path, text) as JsonObject
  return { ...envelope, choices: [{ index: choice, ...content, finish_reason: null }] }
}

/** Builds the members and items of a path around a text. */
function wrapText([step, ...rest]: Path, text: string): unknown {
  if (step === undefined) return text
  const inner = wrapText(rest, text)
  if (typeof step === 'string') return { [step]: inner }
  if (!isObject(inner)) return [inner]
  return [step.type === undefined ? { index: step.index, ...inner } : { type: step.type, ...inner }]
}

/** Returns the members of a chunk that every chunk of its stream has: all but the choices and the usage. */
export function envelopeOf({ choices: _choices, usage: _usage, ...envelope }: JsonObject): JsonObject {
  return envelope
}
