/**
 * What steps found in messages that they looked through before. A conversation is sent again with every turn, so all of
 * it but the last message has been seen. Holds hashes and findings, never a text; only for steps that say they are local.
 */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { sha256 } from '../core/hash.ts'

/** What each step found in a message, steps that found nothing left out; pointers are relative to it. */
type Seen = readonly Found[]

/** A local step and what it found. */
export type Found = readonly [step: string, findings: readonly Finding[]]

/** One message (or definition of a tool, or the rest of the body): where it stands, and its segments. */
type Message = Readonly<{ prefix: string; segments: Segment[] }>

/** A call against what is remembered. */
export type Recollection = Readonly<{
  /** The segments of all messages that are not known. */
  fresh: readonly Segment[]
  /** Takes what a step found in the fresh segments, gives what it finds in all. Throws when it points anywhere else. */
  findAll: (step: string, found: readonly Finding[]) => readonly Finding[]
  /** Remembers what all local steps found in the fresh segments. */
  remember: (found: readonly Found[]) => void
}>

/** Remembers messages, up to a number, the longest unseen going first. */
export type KnownMessages = Readonly<{
  /** Splits the segments of a call of an organization into messages that are known, and fresh ones. */
  recall: (org: string, segments: readonly Segment[]) => Recollection
}>

/** Where a message stands: an item of one of these lists, or the whole rest of the body. */
const PREFIX = /\/(?:messages|tools)\/\d+(?=\/|$)/y

/** Such items are parts of one text to the detectors, which look across their edges: a body with one is not split. */
const PART = /^\/(?:messages|tools)\/\d+\/text$/

/** Messages of a generation; two generations are kept. */
const MESSAGES_MAX = 5000

/** Shorter messages are looked through again each time: that costs less than to know them. */
const MESSAGE_CHARS_MIN = 48

/** A message with more findings is looked through again each time. */
const FINDINGS_MAX = 50

/** Longer messages are looked through again each time: so few are sent often, and their findings may be many. */
const MESSAGE_CHARS_MAX = 256 * 1024

const NOTHING: Seen = []

/** Begins to remember. */
export function makeKnownMessages(messagesMax: number = MESSAGES_MAX): KnownMessages {
  const memory = makeMemory(messagesMax)
  return {
    recall: (org, segments) => {
      const messages = byMessage(segments)
      const known: (readonly [message: Message, seen: Seen])[] = []
      const fresh: Fresh[] = []
      for (const message of messages) {
        const key = keyOf(org, message)
        const seen = key === undefined ? undefined : memory.look(key)
        if (seen === undefined) fresh.push({ message, key })
        else if (seen.length > 0) known.push([message, seen])
      }
      // A body that is not split is one message without a prefix, and holds every pointer.
      const isWhole = messages.length === 1 && messages[0]?.prefix === ''
      const placeOf = (pointer: string): string => (isWhole ? '' : prefixOf(pointer))
      return {
        fresh: fresh.length === messages.length ? segments : fresh.flatMap(({ message }) => message.segments),
        findAll: (step, found) => {
          if (found.length > 0) checkPlaces(step, found, fresh, placeOf)
          return known.length === 0 ? found : [...found, ...known.flatMap((one) => foundAgain(step, ...one))]
        },
        remember: (found) => {
          const seenAt = byPlace(found, placeOf)
          for (const { message, key } of fresh) {
            const seen = seenAt.get(message.prefix) ?? NOTHING
            if (key !== undefined && seen.every(([, findings]) => findings.length <= FINDINGS_MAX))
              memory.keep(key, seen)
          }
        },
      }
    },
  }
}

/** A message that is not known, and the key to remember it by, if it is worth that. */
type Fresh = Readonly<{ message: Message; key: string | undefined }>

type Memory = Readonly<{ look: (key: string) => Seen | undefined; keep: (key: string, seen: Seen) => void }>

/** Two generations: what was not looked for while the young one filled goes with the old one. */
function makeMemory(messagesMax: number): Memory {
  let young = new Map<string, Seen>()
  let old = new Map<string, Seen>()
  const keep: Memory['keep'] = (key, seen) => {
    if (young.size >= messagesMax) {
      old = young
      young = new Map()
    }
    young.set(key, seen)
  }
  const look: Memory['look'] = (key) => {
    const seen = young.get(key)
    if (seen) return seen
    const before = old.get(key)
    if (before) keep(key, before)
    return before
  }
  return { look, keep }
}

/** Throws when a step points at a message that it was not given. */
function checkPlaces(
  step: string,
  found: readonly Finding[],
  fresh: readonly Fresh[],
  placeOf: (pointer: string) => string,
): void {
  const places = new Set(fresh.map(({ message }) => message.prefix))
  const isStray = found.some(({ pointer }) => !places.has(placeOf(pointer)))
  if (isStray) throw new Error(`${step} points at a message that it was not given`)
}

function foundAgain(step: string, { prefix }: Message, seen: Seen): readonly Finding[] {
  const findings = seen.find(([name]) => name === step)?.[1] ?? []
  return findings.map((finding) => ({ ...finding, pointer: prefix + finding.pointer }))
}

/** What was found by the place of its message, pointers relative to that. */
function byPlace(found: readonly Found[], placeOf: (pointer: string) => string): ReadonlyMap<string, Seen> {
  const seenAt = new Map<string, (readonly [step: string, findings: Finding[]])[]>()
  for (const [step, findings] of found) {
    for (const finding of findings) {
      const place = placeOf(finding.pointer)
      const seen = seenAt.get(place) ?? []
      seenAt.set(place, seen)
      // Steps come one after the other, so this one's list is the last.
      if (seen.at(-1)?.[0] !== step) seen.push([step, []])
      seen.at(-1)?.[1].push({ ...finding, pointer: finding.pointer.slice(place.length) })
    }
  }
  return seenAt
}

/** Segments of one message stand one after the other, as the projection goes through the body in order. */
function byMessage(segments: readonly Segment[]): readonly Message[] {
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

/** A hash over all that a local step may look at; undefined for a message that is not worth remembering. */
function keyOf(org: string, { prefix, segments }: Message): string | undefined {
  let chars = 0
  for (const { text } of segments) chars += text.length
  if (chars < MESSAGE_CHARS_MIN || chars > MESSAGE_CHARS_MAX) return undefined
  let text = org
  for (const segment of segments) {
    const pointer = segment.pointer.slice(prefix.length)
    text += `\n${segment.author} ${pointer.length} ${segment.text.length} ${pointer}${segment.text}`
  }
  // UTF-8, which is what is hashed, has one form for all lone surrogates.
  return text.isWellFormed() ? sha256(text) : undefined
}
