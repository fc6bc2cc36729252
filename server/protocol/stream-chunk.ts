/**
 * One chunk of a streamed response, split into texts and the rest, as it came: places of texts are slots, which are filled
 * when it is known what of a text may leave. Knows the format of OpenAI's chunks, nothing of windows or verdicts.
 */
import { exactNumber } from './exact-number.ts'
import { containerPointer, pointerToken } from './json-pointer.ts'
import { nameOf, PROJECTION_LIMITS, ProjectionError } from './projection.ts'
import { TextSlot } from './text-slot.ts'

/** An item of a list on a path: its number, and whether it states that number itself (`index`). */
export type PathItem = Readonly<{ index: number; isStated: boolean }>

/** The path from a choice to one of its strings: names of members, and items of lists. */
export type Path = readonly (string | PathItem)[]

/** A string of a choice. What clients join has the same pointer in every chunk. `name` may tell what it is (projection.ts). */
export type FieldText = Readonly<{
  pointer: string
  choice: number
  path: Path
  text: string
  name: string | undefined
}>

/** The members of a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A string that is held, and its place. */
export type HeldField = Readonly<{ field: FieldText; slot: TextSlot }>

/**
 * A chunk whose held texts are slots. `choices`: those that it is about; `ended`: those that it ends. `fields` maps the
 * RFC 6901 pointer of each other string of a choice to the pointer of its field.
 */
export type SplitChunk = Readonly<{
  chunk: JsonObject
  choices: readonly number[]
  ended: readonly number[]
  texts: readonly HeldField[]
  fields: ReadonlyMap<string, FieldText>
}>

/** Members of a choice that repeat its text as tokens (OpenAI; vLLM's `return_token_ids`). */
export const TOKEN_LISTS: ReadonlySet<string> = new Set(['logprobs', 'token_ids', 'prompt_token_ids'])

/** True for an object that is no list, and no number that stays as it was written. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && exactNumber(value) === undefined
}

/**
 * Splits a parsed chunk; `isHeld` says whether a string is put in a slot. Undefined when it is not a chunk of a completion;
 * one without choices is a chunk with an empty list of them. Token lists are dropped, because they repeat the text where it
 * can't be held back, and so are padding that is new in every chunk and the gateway's own member, which it alone may send.
 */
export function splitChunk(value: unknown, isHeld: (field: FieldText) => boolean): SplitChunk | undefined {
  if (!isObject(value)) return undefined
  const given = value['choices'] ?? []
  if (!Array.isArray(given) || !given.every(isObject)) return undefined
  const walk: Walk = { isHeld, texts: [], fields: new Map() }
  const ended: number[] = []
  const indexes: number[] = []
  const choices = given.map((choice: JsonObject, place) => {
    const index = typeof choice['index'] === 'number' ? choice['index'] : place
    indexes.push(index)
    if (typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '') ended.push(index)
    const at = { path: [], place: `/choices/${place}`, field: `/choices/${index}`, name: undefined }
    return splitValue(walk, choice, { choice: index, ...at })
  })
  const { obfuscation: _padding, tappass: _own, ...chunk }: JsonObject = { ...value, choices }
  return { chunk, choices: indexes, ended, texts: walk.texts, fields: walk.fields }
}

type Walk = Readonly<{
  isHeld: (field: FieldText) => boolean
  texts: HeldField[]
  fields: Map<string, FieldText>
}>

/** Where in a choice: `place` is the pointer in this chunk, `field` the one that clients join by. */
type Place = Readonly<{ choice: number; path: Path; place: string; field: string; name: string | undefined }>

function splitValue(walk: Walk, value: unknown, where: Place): unknown {
  if (typeof value === 'string') return splitText(walk, value, where)
  if (typeof value !== 'object' || value === null || exactNumber(value) !== undefined) return value
  const at = { ...where, place: containerPointer(where.place), field: containerPointer(where.field) }
  if (at.path.length >= PROJECTION_LIMITS.depthMax) throw new ProjectionError('depthMax')
  if (Array.isArray(value)) return value.map((item: unknown, place) => splitItem(walk, item, at, place))
  const members: [name: string, member: unknown][] = Object.entries(value).map(([name, member]) => {
    if (at.path.length === 0 && TOKEN_LISTS.has(name)) return [name, null]
    const token = pointerToken(name)
    const path = [...at.path, name]
    const places = { place: `${at.place}/${token}`, field: `${at.field}/${token}` }
    const inner = { choice: at.choice, path, ...places, name: nameOf(name, value as JsonObject, at.name) }
    return [name, splitValue(walk, member, inner)]
  })
  return Object.fromEntries(members)
}

function splitItem(walk: Walk, item: unknown, at: Place, place: number): unknown {
  const stated = isObject(item) && typeof item['index'] === 'number' ? item['index'] : undefined
  const index = stated ?? place
  const path = [...at.path, { index, isStated: stated !== undefined }]
  return splitValue(walk, item, {
    choice: at.choice,
    path,
    place: `${at.place}/${place}`,
    field: `${at.field}/${index}`,
    name: at.name,
  })
}

function splitText(walk: Walk, text: string, { choice, path, place, field, name }: Place): string | TextSlot {
  if (text === '') return text
  const fieldText: FieldText = { pointer: field, choice, path, text, name }
  if (walk.isHeld(fieldText)) {
    const slot = new TextSlot(text.length)
    walk.texts.push({ field: fieldText, slot })
    return slot
  }
  walk.fields.set(place, fieldText)
  return text
}

/** True for an object that is none of the API's, such as a ping: it has no member of a chunk. */
export function isForeign(value: JsonObject): boolean {
  return !['id', 'object', 'choices', 'usage', 'error'].some((name) => Object.hasOwn(value, name))
}

/** True for a chunk with the end of a choice. */
export function endsChoice({ choices }: JsonObject): boolean {
  return Array.isArray(choices) && choices.some((choice) => (choice?.finish_reason ?? null) !== null)
}

/** The first part of a chunk of one choice whose last text leaves in part: all but what ends the choice, and the usage. */
export function firstPart(chunk: JsonObject): JsonObject {
  const { usage: _usage, ...rest } = chunk
  const [choice = {}] = chunk['choices'] as readonly JsonObject[]
  const isEnd = (choice['finish_reason'] ?? null) !== null
  return { ...rest, choices: [isEnd ? { ...choice, finish_reason: null } : choice] }
}

/** What is left of that chunk: its text, what ends the choice, and the usage. */
export function lastPart(chunk: JsonObject, { field: { choice, path }, slot }: HeldField): JsonObject {
  const shared = Object.entries(chunk).filter(([name, value]) => name === 'usage' || typeof value !== 'object')
  const [{ finish_reason = null } = {}] = chunk['choices'] as readonly JsonObject[]
  const content = wrapText(path, slot) as JsonObject
  return { ...Object.fromEntries(shared), choices: [{ index: choice, ...content, finish_reason }] }
}

/** True when each item on a path states its index, so that a part of a text can follow in a chunk of its own. */
export function isAddressed(path: Path): boolean {
  return path.every((step) => typeof step === 'string' || step.isStated)
}

/** Builds the members and items of a path around a text. */
function wrapText([step, ...rest]: Path, slot: TextSlot): unknown {
  if (step === undefined) return slot
  const inner = wrapText(rest, slot)
  return typeof step === 'string' ? { [step]: inner } : [{ index: step.index, ...(inner as JsonObject) }]
}
