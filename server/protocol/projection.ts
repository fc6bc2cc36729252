/**
 * Projects a JSON body (chat completions, completions, embeddings, Anthropic messages, Responses; requests and
 * responses) into all its texts. It knows the author of each text, never its meaning; an unknown field is projected
 * too.
 */
import type { Author, Segment } from '../core/call.ts'
import { API_KEYS, API_NAMES } from './api-name.ts'
import { exactNumber, integerDigits } from './exact-number.ts'
import { STRUCTURE_LIMITS } from './json-bound.ts'
import { containerPointer, KEY_SUFFIX, pointerToken } from './json-pointer.ts'
import { countMembers, SourceDepthError, sourcesAt, withoutDuplicates } from './json-source.ts'
import { tokenTexts } from './token-list.ts'

/**
 * Bounds of one projection: depth of the JSON, number of segments, UTF-16 code units over all of them; and different names of
 * tools.
 */
export const PROJECTION_LIMITS = {
  ...STRUCTURE_LIMITS,
  segmentsMax: 100_000,
  charsMax: 8_000_000,
  toolsMax: 2000,
} as const

/** The body is larger or deeper than can be scanned. Not scanned means refused. */
export class ProjectionError extends Error {
  override readonly name = 'ProjectionError'
  readonly limit: keyof typeof PROJECTION_LIMITS
  constructor(limit: keyof typeof PROJECTION_LIMITS) {
    super(`body exceeds ${limit} (${PROJECTION_LIMITS[limit]})`)
    this.limit = limit
  }
}

/** `tokens`: in the token lists of an answer. */
type BodyPart = 'top' | 'turns' | 'tokens' | 'inside'

/** `members`: how many the objects have; `inexact`: pointers of numbers that a double does not hold to the digit. */
type Walk = { readonly segments: Segment[]; readonly inexact: Set<string>; chars: number; members: number }

/** Where a value stands: under which pointer, by whom, and under which telling name. */
type Place = Readonly<{
  pointer: string
  author: Author
  part: BodyPart
  depth: number
  name: string | undefined
}>

/** Numbers from here on have twelve digits, as the shortest payment card number, and are projected as their digits. */
const LONG_NUMBER_MIN = 1e11

/** Under a name that may tell what they are, numbers are projected from seven digits on. */
const NAMED_NUMBER_MIN = 1e6

/** Names that say nothing of their value: the name of the pair, or of what it is in, says it. */
const GENERIC_NAMES = new Set('value Value default const example examples enum'.split(' '))

/** Shorter names tell nothing. Of a longer one the end counts: a name stands beside every text below it. */
const NAME_CHARS_MIN = 3
const NAME_CHARS_MAX = 128

/** The pointer of a choice of an answer. */
const CHOICE = /^\/choices\/\d+$/

/** Members of a pair that name its value: `{"name": "DB_PASSWORD", "value": "…"}`. */
const PAIR_NAMES = ['name', 'key', 'Name', 'Key'] as const

const AUTHOR_OF_ROLE: Readonly<Record<string, Author>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  model: 'assistant',
  tool: 'tool',
  function: 'tool',
}

const TOP_LEVEL: Readonly<Record<string, readonly [Author, BodyPart]>> = {
  messages: ['user', 'turns'],
  input: ['user', 'turns'],
  prompt: ['user', 'inside'],
  suffix: ['user', 'inside'],
  choices: ['assistant', 'turns'],
  output: ['assistant', 'turns'],
  system: ['system', 'inside'],
  instructions: ['system', 'inside'],
  tools: ['schema', 'inside'],
  functions: ['schema', 'inside'],
  response_format: ['schema', 'inside'],
}

/** Parts that carry the output of a tool or a document, in whosever turn they are. */
const TOOL_OUTPUT_PART = /^(?:document|file|input_file|search_result|mcp_call|.{0,40}_result|.{0,40}_call_output)$/

/** Shorter plain names can't hold anything that a detector finds. */
function isFreeText(key: string): boolean {
  return key.length > 0 && !API_KEYS.has(key) && (key.length >= 8 || !/^\w+$/.test(key))
}

/**
 * Returns every non-empty string of a parsed JSON body with its pointer and author, in the order of the body; keys
 * that may be a client's text (pointer ends with KEY_SUFFIX); and numbers of twelve digits or more (seven under a name),
 * as their digits, unless they are of a schema. Throws ProjectionError over PROJECTION_LIMITS.
 */
export function project(body: unknown): readonly Segment[] {
  return walkBody(body).segments
}

/**
 * The same for a body with the text that it was parsed from. `text` is then what may be sent: the given text, without
 * members that a later one of the same name replaces. Numbers are projected with the digits that are in it.
 */
export function projectSource(body: unknown, text: string): Readonly<{ segments: readonly Segment[]; text: string }> {
  const { segments, inexact, members } = walkBody(body)
  try {
    const settled = members === countMembers(text) ? text : withoutDuplicates(text)
    if (inexact.size === 0) return { segments, text: settled }
    const sources = sourcesAt(settled, inexact)
    return { segments: segments.map((segment) => withDigits(segment, sources.get(segment.pointer))), text: settled }
  } catch (cause) {
    throw cause instanceof SourceDepthError ? new ProjectionError('depthMax') : cause
  }
}

function walkBody(body: unknown): Walk {
  const walk: Walk = { segments: [], inexact: new Set(), chars: 0, members: 0 }
  visit(walk, body, { pointer: '', author: 'other', part: 'top', depth: 0, name: undefined })
  return walk
}

function visit(walk: Walk, value: unknown, place: Place): void {
  if (typeof value === 'string') addSegment(walk, place, value)
  else if (typeof value === 'number') visitNumber(walk, value, place)
  else if (typeof value === 'object' && value !== null) visitObjectOrNumber(walk, value, place)
}

function visitObjectOrNumber(walk: Walk, value: object, place: Place): void {
  const source = exactNumber(value)
  if (source === undefined) visitContainer(walk, value, place)
  else visitNumber(walk, Number(source), place, source)
}

/** The numbers of a schema are its bounds, and a string in their place would break it. */
function visitNumber(walk: Walk, value: number, place: Place, source = ''): void {
  const size = Math.abs(value)
  if (size < (place.name === undefined ? LONG_NUMBER_MIN : NAMED_NUMBER_MIN) || place.author === 'schema') return
  if (size > Number.MAX_SAFE_INTEGER) walk.inexact.add(place.pointer)
  addSegment(walk, place, integerDigits(source) ?? String(Math.trunc(size)), true)
}

function visitContainer(walk: Walk, value: object, place: Place): void {
  if (place.depth >= PROJECTION_LIMITS.depthMax) throw new ProjectionError('depthMax')
  const pointer = containerPointer(place.pointer)
  if (!Array.isArray(value)) {
    const inBounds = pointer === place.pointer ? place : { ...place, pointer }
    visitObject(walk, value as Readonly<Record<string, unknown>>, inBounds)
    return
  }
  const { author, depth, name } = place
  const part = place.part === 'top' ? 'inside' : place.part
  for (let index = 0; index < value.length; index++) {
    visit(walk, value[index], { pointer: `${pointer}/${index}`, author, part, depth: depth + 1, name })
  }
}

function visitObject(walk: Walk, value: Readonly<Record<string, unknown>>, place: Place): void {
  const { pointer, part, depth } = place
  const ownAuthor = authorOf(value, place.author, part)
  const keys = Object.keys(value)
  walk.members += keys.length
  for (const key of keys) {
    const child = value[key]
    const isKeyText = isFreeText(key)
    // So are most members of an answer; a place for each would be a third of what the projection allocates.
    if (!isKeyText && isTextless(child)) continue
    const childPointer = `${pointer}/${pointerToken(key)}`
    if (isKeyText) addSegment(walk, { ...place, pointer: childPointer + KEY_SUFFIX, author: ownAuthor }, key)
    const isTop = part === 'top' && Object.hasOwn(TOP_LEVEL, key)
    const [author, childPart] = isTop
      ? (TOP_LEVEL[key] as readonly [Author, BodyPart])
      : ([ownAuthor, innerPart(key, place)] as const)
    const name = childPart === 'tokens' ? undefined : nameOf(key, value, place.name)
    visit(walk, child, { pointer: childPointer, author, part: childPart, depth: depth + 1, name })
    if (part === 'turns' && childPart === 'tokens') addTokens(walk, child, { ...place, pointer: childPointer, author })
  }
}

/** Null, a boolean, or a number that is projected under no name. */
function isTextless(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) < NAMED_NUMBER_MIN
  return typeof value === 'boolean' || value === null
}

/** The part of the body that a member is which is not at its top. */
function innerPart(key: string, { pointer, part }: Place): BodyPart {
  if (part === 'tokens') return 'tokens'
  if (part !== 'turns') return 'inside'
  if (key === 'message' || key === 'delta') return 'turns'
  return key === 'logprobs' && CHOICE.test(pointer) ? 'tokens' : 'inside'
}

/** The name that may tell what a member's value is; undefined for names of the API. */
export function nameOf(
  key: string,
  value: Readonly<Record<string, unknown>>,
  outer: string | undefined,
): string | undefined {
  if (!GENERIC_NAMES.has(key))
    return key.length < NAME_CHARS_MIN || API_NAMES.has(key) ? undefined : key.slice(-NAME_CHARS_MAX)
  for (const pairName of PAIR_NAMES) {
    const name = value[pairName]
    if (typeof name === 'string') return name.slice(-NAME_CHARS_MAX)
  }
  return outer
}

/** The tokens of an answer, which are one text each beside their own: what is in it is in none of them alone. */
function addTokens(walk: Walk, value: unknown, place: Place): void {
  for (const text of tokenTexts(value)) addSegment(walk, { ...place, name: undefined }, text)
}

/** The author of an object's texts. Inside the output of a tool the author never changes. */
function authorOf(value: Readonly<Record<string, unknown>>, author: Author, part: BodyPart): Author {
  if (author === 'tool' || author === 'schema') return author
  if (typeof value['type'] === 'string' && TOOL_OUTPUT_PART.test(value['type'])) return 'tool'
  const isTurn = part === 'turns' || (part === 'top' && !Object.hasOwn(value, 'messages'))
  if (!isTurn || typeof value['role'] !== 'string') return author
  return Object.hasOwn(AUTHOR_OF_ROLE, value['role']) ? (AUTHOR_OF_ROLE[value['role']] as Author) : 'other'
}

function addSegment(walk: Walk, { pointer, author, name }: Place, text: string, isNumber = false): void {
  if (text === '') return
  walk.chars += text.length
  if (walk.chars > PROJECTION_LIMITS.charsMax) throw new ProjectionError('charsMax')
  if (walk.segments.length >= PROJECTION_LIMITS.segmentsMax) throw new ProjectionError('segmentsMax')
  const isKey = name !== undefined && pointer.endsWith(KEY_SUFFIX)
  const segment = name === undefined || isKey ? { pointer, author, text } : { pointer, author, text, name }
  walk.segments.push(isNumber ? { ...segment, isNumber } : segment)
}

/** A number's segment with the digits of its source; the digits of the double where the source has too many. */
function withDigits(segment: Segment, source: string | undefined): Segment {
  const text = source === undefined || !segment.isNumber ? undefined : integerDigits(source)
  return text === undefined ? segment : { ...segment, text }
}
