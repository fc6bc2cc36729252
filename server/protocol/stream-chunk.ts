/**
 * One chunk of a streamed answer, taken apart into texts that grow from chunk to chunk and the rest, and put together
 * again. Knows the shape of OpenAI's chunks, nothing of windows or verdicts.
 */
import { pointerToken } from './projection.ts'

/** An item of a list on the way: its number, and its `type` where items are told apart by place and not by `index`. */
type Item = Readonly<{ index: number; type: string | undefined }>

/** The way from a choice down to one of its texts: names of members, and items of lists. */
type Way = readonly (string | Item)[]

/** A text that continues what earlier chunks said at the same pointer. */
export type Growth = Readonly<{ pointer: string; choice: number; way: Way; text: string }>

/** The members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>

/**
 * A chunk without its growing texts. `isEmpty`: nothing else is in it, so it need not be sent. `ended`: choices that it
 * ends, whose held text goes before it.
 */
export type Skeleton = Readonly<{ chunk: Members; isEmpty: boolean; ended: readonly number[] }>

/** Names of strings that are sent once and as a whole. Every other string is taken to grow, and is held back. */
const WHOLE = new Set('role id type name finish_reason title url file_id call_id expires_at'.split(' '))

/** Members of a choice that say its text again as tokens (OpenAI; vLLM's `return_token_ids`). */
export const TOKEN_LISTS: ReadonlySet<string> = new Set(['logprobs', 'token_ids', 'prompt_token_ids'])

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Takes a parsed chunk apart; undefined when it is not a chunk of a completion. Token lists go, for they repeat the text
 * where it can't be held back, and so does padding that is new in every chunk.
 */
export function takeApart(chunk: unknown): Readonly<{ skeleton: Skeleton; growths: readonly Growth[] }> | undefined {
  if (!isObject(chunk) || !Array.isArray(chunk['choices']) || !chunk['choices'].every(isObject)) return undefined
  const { obfuscation: _padding, ...rest } = chunk
  const growths: Growth[] = []
  const ended: number[] = []
  const choices = chunk['choices'].map((choice: Members) => {
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0
    if (typeof choice['finish_reason'] === 'string') ended.push(index)
    return strip(choice, index, [], growths)
  })
  const isEmpty = choices.length > 0 && choices.every((choice) => isBare(choice, ''))
  return { skeleton: { chunk: { ...rest, choices }, isEmpty, ended }, growths }
}

/** Gives the value without growing texts, and adds those to `growths`. */
function strip(value: unknown, choice: number, way: Way, growths: Growth[]): unknown {
  if (typeof value === 'string') return stripText(value, choice, way, growths)
  if (Array.isArray(value)) {
    return value.map((item: unknown, place) => strip(item, choice, [...way, itemOf(item, place)], growths))
  }
  if (!isObject(value)) return value
  const bare: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const isTokens = way.length === 0 && TOKEN_LISTS.has(name)
    const kept = isTokens ? null : strip(member, choice, [...way, name], growths)
    if (kept !== undefined) bare[name] = kept
  }
  return bare
}

function stripText(text: string, choice: number, way: Way, growths: Growth[]): string | undefined {
  const name = way.at(-1)
  if (text === '' || (typeof name === 'string' && WHOLE.has(name))) return text
  const pointer = way.map((step) => (typeof step === 'string' ? pointerToken(step) : String(step.index))).join('/')
  growths.push({ pointer: `/choices/${choice}/${pointer}`, choice, way, text })
  return undefined
}

function itemOf(item: unknown, place: number): Item {
  if (!isObject(item)) return { index: place, type: undefined }
  if (typeof item['index'] === 'number') return { index: item['index'], type: undefined }
  return { index: place, type: typeof item['type'] === 'string' ? item['type'] : undefined }
}

/** True when nothing is left that a client would miss. */
function isBare(value: unknown, name: string): boolean {
  if (name === 'index' || value === null || value === undefined || value === '') return true
  if (Array.isArray(value)) return value.every((item) => isBare(isPart(item) ? { ...item, type: null } : item, ''))
  return isObject(value) && Object.entries(value).every(([inner, member]) => isBare(member, inner))
}

/** A part that is told apart by its place; `compose` gives it its type again. */
const isPart = (item: unknown): item is Members => isObject(item) && typeof item['index'] !== 'number'

/** Takes the members that all chunks share and a text that may leave, gives a chunk that carries just that text. */
export function compose(envelope: Members, { choice, way }: Growth, text: string): Members {
  const inner = wrap(way, text) as Members
  return { ...envelope, choices: [{ index: choice, ...inner, finish_reason: null }] }
}

/** Builds the members and items of a way around a text. */
function wrap([step, ...rest]: Way, text: string): unknown {
  if (step === undefined) return text
  const below = wrap(rest, text)
  if (typeof step === 'string') return { [step]: below }
  if (!isObject(below)) return [below]
  return [step.type === undefined ? { index: step.index, ...below } : { type: step.type, ...below }]
}

/** Gives the members of a chunk that every chunk of its stream has: all but the choices and the usage. */
export function envelopeOf({ choices: _choices, usage: _usage, ...envelope }: Members): Members {
  return envelope
}
