/**
 * A cache of findings by message. A conversation is sent again with every turn, so all of it but the last message has
 * been scanned. Holds hashes and findings, never text; only for cacheable steps.
 */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { sha256 } from '../core/hash.ts'

/** The findings of each step in a message, steps without any left out; pointers are relative to the message. */
type CachedFindings = readonly StepFindings[]

/** A cacheable step and its findings. */
export type StepFindings = readonly [step: string, findings: readonly Finding[]]

/** One message (or definition of a tool, or the rest of the body): its pointer, and its segments. */
type Message = Readonly<{ prefix: string; segments: Segment[] }>

/** The result of a lookup: which messages of a call are cached. */
export type CacheLookup = Readonly<{
  /** The segments of all messages that are not cached. */
  misses: readonly Segment[]
  /**
   * Given a step's findings in the misses, returns its findings in the whole call. Throws when one points anywhere
   * else.
   */
  merge: (step: string, fresh: readonly Finding[]) => readonly Finding[]
  /** Stores what all cacheable steps found in the misses. */
  store: (fresh: readonly StepFindings[]) => void
}>

/** A bounded cache of messages; the least recently used are evicted first. */
export type FindingCache = Readonly<{
  /** Splits the segments of an organization's call into messages that are cached, and misses. */
  lookup: (org: string, segments: readonly Segment[]) => CacheLookup
}>

/** The pointer of a message: an item of one of these lists, or the rest of the body. */
const PREFIX = /\/(?:messages|tools)\/\d+(?=\/|$)/y

/** Detectors read such items as parts of one text and match across them: a body with one is not split. */
const PART = /^\/(?:messages|tools)\/\d+\/text$/

/** Messages of a generation; two generations are kept. */
const MESSAGES_MAX = 5000

/** Shorter messages are scanned each time: that costs less than a lookup. */
const MESSAGE_CHARS_MIN = 48

/** A message with more findings is scanned each time. */
const FINDINGS_MAX = 50

/** Longer messages are scanned each time: few of them are sent often, and their findings may be many. */
const MESSAGE_CHARS_MAX = 256 * 1024

const NO_FINDINGS: CachedFindings = []

/** Creates the cache. */
export function createFindingCache(messagesMax: number = MESSAGES_MAX): FindingCache {
  const generations = createGenerationCache(messagesMax)
  return {
    lookup: (org, segments) => {
      const messages = splitMessages(segments)
      const hits: (readonly [message: Message, seen: CachedFindings])[] = []
      const misses: CacheMiss[] = []
      for (const message of messages) {
        const key = cacheKey(org, message)
        const cached = key === undefined ? undefined : generations.get(key)
        if (cached === undefined) misses.push({ message, key })
        else if (cached.length > 0) hits.push([message, cached])
      }
      // A body that is not split is one message with an empty prefix, and contains every pointer.
      const isUnsplit = messages.length === 1 && messages[0]?.prefix === ''
      const prefixFor = (pointer: string): string => (isUnsplit ? '' : prefixOf(pointer))
      return {
        misses: misses.length === messages.length ? segments : misses.flatMap(({ message }) => message.segments),
        merge: (step, found) => {
          if (found.length > 0) assertKnownPrefixes(step, found, misses, prefixFor)
          return hits.length === 0 ? found : [...found, ...hits.flatMap((one) => rebasedFindings(step, ...one))]
        },
        store: (found) => {
          const hasFindings = found.some(([, findings]) => findings.length > 0)
          const byPrefix = hasFindings ? groupByPrefix(found, prefixFor) : undefined
          for (const { message, key } of misses) {
            const cached = byPrefix?.get(message.prefix) ?? NO_FINDINGS
            if (key !== undefined && cached.every(([, findings]) => findings.length <= FINDINGS_MAX))
              generations.set(key, cached)
          }
        },
      }
    },
  }
}

/** A message that is not cached, and its key, if it can be stored. */
type CacheMiss = Readonly<{ message: Message; key: string | undefined }>

type GenerationCache = Readonly<{
  get: (key: string) => CachedFindings | undefined
  set: (key: string, seen: CachedFindings) => void
}>

/** Two generations: entries that were not read while the young one filled are evicted with the old one. */
function createGenerationCache(messagesMax: number): GenerationCache {
  let young = new Map<string, CachedFindings>()
  let old = new Map<string, CachedFindings>()
  const set: GenerationCache['set'] = (key, cached) => {
    if (young.size >= messagesMax) {
      old = young
      young = new Map()
    }
    young.set(key, cached)
  }
  const get: GenerationCache['get'] = (key) => {
    const cached = young.get(key)
    if (cached) return cached
    const previous = old.get(key)
    if (previous) set(key, previous)
    return previous
  }
  return { get, set }
}

/** Throws when a step points at a message that it was not given. */
function assertKnownPrefixes(
  step: string,
  found: readonly Finding[],
  misses: readonly CacheMiss[],
  prefixFor: (pointer: string) => string,
): void {
  const prefixes = new Set(misses.map(({ message }) => message.prefix))
  const isStray = found.some(({ pointer }) => !prefixes.has(prefixFor(pointer)))
  if (isStray) throw new Error(`${step} points at a message that it was not given`)
}

function rebasedFindings(step: string, { prefix }: Message, cached: CachedFindings): readonly Finding[] {
  const findings = cached.find(([name]) => name === step)?.[1] ?? []
  return findings.map((finding) => ({ ...finding, pointer: prefix + finding.pointer }))
}

/** Groups findings by the prefix of their message, with pointers relative to it. */
function groupByPrefix(
  found: readonly StepFindings[],
  prefixFor: (pointer: string) => string,
): ReadonlyMap<string, CachedFindings> {
  const byPrefix = new Map<string, (readonly [step: string, findings: Finding[]])[]>()
  for (const [step, findings] of found) {
    for (const finding of findings) {
      const prefix = prefixFor(finding.pointer)
      const cached = byPrefix.get(prefix) ?? []
      byPrefix.set(prefix, cached)
      // Steps come one after the other, so this step's list is the last.
      if (cached.at(-1)?.[0] !== step) cached.push([step, []])
      cached.at(-1)?.[1].push({ ...finding, pointer: finding.pointer.slice(prefix.length) })
    }
  }
  return byPrefix
}

/** Segments of one message are consecutive, as the projection walks the body in order. */
function splitMessages(segments: readonly Segment[]): readonly Message[] {
  const rest: Message = { prefix: '', segments: [] }
  const messages: Message[] = []
  let current = rest
  for (const segment of segments) {
    const { pointer } = segment
    if (pointer.endsWith('/text') && PART.test(pointer)) return [{ prefix: '', segments: [...segments] }]
    const prefix = prefixOf(pointer)
    if (prefix === '') current = rest
    else if (prefix !== current.prefix) {
      current = { prefix, segments: [] }
      messages.push(current)
    }
    current.segments.push(segment)
  }
  return rest.segments.length > 0 ? [rest, ...messages] : messages
}

function prefixOf(pointer: string): string {
  PREFIX.lastIndex = 0
  return PREFIX.test(pointer) ? pointer.slice(0, PREFIX.lastIndex) : ''
}

/** A hash over all that a cacheable step may read; undefined for a message that is not worth caching. */
function cacheKey(org: string, { prefix, segments }: Message): string | undefined {
  let chars = 0
  for (const { text } of segments) chars += text.length
  if (chars < MESSAGE_CHARS_MIN || chars > MESSAGE_CHARS_MAX) return undefined
  let text = org
  for (const segment of segments) {
    const pointer = segment.pointer.slice(prefix.length)
    const { author, name = '', isNumber = false } = segment
    text += `\n${author} ${pointer.length} ${segment.text.length} ${name.length} ${isNumber} ${pointer}${segment.text}${name}`
  }
  // The hash is over UTF-8, which has one form for all lone surrogates.
  return text.isWellFormed() ? sha256(text) : undefined
}
