/**
 * Projects a JSON body (chat completions, completions, embeddings, Anthropic messages, Responses; requests and
 * responses) into all its texts. It knows the author of each text, never its meaning; an unknown field is projected
 * too.
 */
import type { Author, Segment } from '../core/call.ts'

/** Bounds of one projection: depth of the JSON, number of segments, UTF-16 code units over all of them. */
export const PROJECTION_LIMITS = { depthMax: 100, segmentsMax: 100_000, charsMax: 8_000_000 } as const

/**
 * Suffix of the pointer of a segment that is an object's key, not its value. No RFC 6901 pointer can end so: there a
 * tilde is always followed by 0 or 1.
 */
export const KEY_SUFFIX = '~#'

/** The body is larger or deeper than can be scanned. Not scanned means refused. */
export class ProjectionError extends Error {
  override readonly name = 'ProjectionError'
  readonly limit: keyof typeof PROJECTION_LIMITS
  constructor(limit: keyof typeof PROJECTION_LIMITS) {
    super(`body exceeds ${limit} (${PROJECTION_LIMITS[limit]})`)
    this.limit = limit
  }
}

type BodyPart = 'top' | 'turns' | 'inside'
type Walk = { readonly segments: Segment[]; chars: number }

/** Numbers from here on have twelve digits, as the shortest payment card number, and are projected as their digits. */
const LONG_NUMBER_MIN = 1e11

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

/** Names of the APIs themselves. Every other key may be a client's text. */
export const API_KEYS: ReadonlySet<string> = new Set(
  `arguments assistant audio_tokens cache_control cached_tokens completion_tokens completion_tokens_details content content_filter
  created custom_tool_call_output data delta description detail developer dimensions document embedding embeddings encoding_format
  file_data filename finish_reason frequency_penalty function function_call function_call_output functions image_url index
  input_audio input_schema input_tokens instructions json_schema logit_bias logprobs max_completion_tokens max_tokens media_type
  message messages metadata modalities object output_tokens parallel_tool_calls parameters partial_json presence_penalty
  prompt_tokens prompt_tokens_details properties reasoning_content reasoning_effort reasoning_tokens rejected_prediction_tokens
  accepted_prediction_tokens required response_format schema service_tier signature stop_reason stop_sequence stop_sequences
  stream_options strict suffix system system_fingerprint temperature text_delta thinking tool_call_id tool_calls tool_choice
  tool_result tool_use tool_use_id top_logprobs total_tokens additionalProperties cache_creation_input_tokens
  cache_read_input_tokens prompt_cache_key safety_identifier include_usage`.split(/\s+/),
)

/** Shorter plain names can't hold anything that a detector finds. */
function isFreeText(key: string): boolean {
  return key.length > 0 && !API_KEYS.has(key) && (key.length >= 8 || !/^\w+$/.test(key))
}

/** A key as a token of an RFC 6901 pointer. */
export function pointerToken(key: string): string {
  return key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

/**
 * Returns every non-empty string of a parsed JSON body with its pointer and author, in the order of the body; keys
 * that may be a client's text (pointer ends with KEY_SUFFIX); and numbers of twelve digits or more, as their digits.
 * Throws ProjectionError over PROJECTION_LIMITS.
 */
export function project(body: unknown): readonly Segment[] {
  const walk: Walk = { segments: [], chars: 0 }
  visit(walk, body, '', 'other', 'top', 0)
  return walk.segments
}

function visit(walk: Walk, value: unknown, pointer: string, author: Author, part: BodyPart, depth: number): void {
  if (typeof value === 'string') addSegment(walk, pointer, author, value)
  else if (typeof value === 'number' && Math.abs(value) >= LONG_NUMBER_MIN)
    addSegment(walk, pointer, author, String(value))
  else if (typeof value === 'object' && value !== null) visitContainer(walk, value, pointer, author, part, depth)
}

function visitContainer(
  walk: Walk,
  value: object,
  pointer: string,
  author: Author,
  part: BodyPart,
  depth: number,
): void {
  if (depth >= PROJECTION_LIMITS.depthMax) throw new ProjectionError('depthMax')
  if (Array.isArray(value)) {
    const innerPart = part === 'turns' ? 'turns' : 'inside'
    for (let index = 0; index < value.length; index++) {
      visit(walk, value[index], `${pointer}/${index}`, author, innerPart, depth + 1)
    }
    return
  }
  visitObject(walk, value as Readonly<Record<string, unknown>>, pointer, author, part, depth)
}

function visitObject(
  walk: Walk,
  value: Readonly<Record<string, unknown>>,
  pointer: string,
  author: Author,
  part: BodyPart,
  depth: number,
): void {
  const ownAuthor = authorOf(value, author, part)
  for (const key of Object.keys(value)) {
    const childPointer = `${pointer}/${pointerToken(key)}`
    if (isFreeText(key)) addSegment(walk, childPointer + KEY_SUFFIX, ownAuthor, key)
    const isTop = part === 'top' && Object.hasOwn(TOP_LEVEL, key)
    const [childAuthor, childPart] = isTop
      ? (TOP_LEVEL[key] as readonly [Author, BodyPart])
      : ([ownAuthor, part === 'turns' && (key === 'message' || key === 'delta') ? 'turns' : 'inside'] as const)
    visit(walk, value[key], childPointer, childAuthor, childPart, depth + 1)
  }
}

/** The author of an object's texts. Inside the output of a tool the author never changes. */
function authorOf(value: Readonly<Record<string, unknown>>, author: Author, part: BodyPart): Author {
  if (author === 'tool' || author === 'schema') return author
  if (typeof value['type'] === 'string' && TOOL_OUTPUT_PART.test(value['type'])) return 'tool'
  const isTurn = part === 'turns' || (part === 'top' && !Object.hasOwn(value, 'messages'))
  if (!isTurn || typeof value['role'] !== 'string') return author
  return Object.hasOwn(AUTHOR_OF_ROLE, value['role']) ? (AUTHOR_OF_ROLE[value['role']] as Author) : 'other'
}

function addSegment(walk: Walk, pointer: string, author: Author, text: string): void {
  if (text === '') return
  walk.chars += text.length
  if (walk.chars > PROJECTION_LIMITS.charsMax) throw new ProjectionError('charsMax')
  if (walk.segments.length >= PROJECTION_LIMITS.segmentsMax) throw new ProjectionError('segmentsMax')
  walk.segments.push({ pointer, author, text })
}
