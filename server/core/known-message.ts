/**
 * What steps found in messages that they looked through before. A conversation is sent again with every turn, so all of
 * it but the last message has been seen. Holds hashes and findings, never a text; only for steps that say they are local.
 */
import type { Segment } from './call.ts'
import type { Finding } from './finding.ts'
import { sha256 } from './hash.ts'

/** Findings of each step in one message; pointers are relative to it. */
type Seen = Map<string, readonly Finding[]>

/** One message (or definition of a tool, or the rest of the body): where it stands, its segments, what was seen in it. */
export type Message = Readonly<{ prefix: string; segments: readonly Segment[]; seen: Seen }>

/** Remembers messages, up to a number, the longest unseen going first. */
export type KnownMessages = Readonly<{
  /** Splits the segments of a call of an organization into its messages, with what is known of each. */
  recall: (org: string, segments: readonly Segment[]) => readonly Message[]
}>

/** Where a message stands: an item of one of these lists, or the whole rest of the body. */
const PREFIX = /^\/(?:messages|tools)\/\d+(?=\/|$)/

/** Such items are parts of one text to the detectors, which look across their edges: a body with one is not split. */
const PART = /^\/(?:messages|tools)\/\d+\/text$/

/** Messages of a generation; two generations are kept. */
const MESSAGES_MAX = 5000

/** A message with more findings is looked through again each time. */
const FINDINGS_MAX = 50

/** Longer messages are looked through again each time: so few are sent often, and their findings may be many. */
const MESSAGE_CHARS_MAX = 256 * 1024

/** Begins to remember. */
export function makeKnownMessages(messagesMax: number = MESSAGES_MAX): KnownMessages {
  let young = new Map<string, Seen>()
  let old = new Map<string, Seen>()

  function seenIn(key: string): Seen {
    const known = young.get(key)
    if (known) return known
    const seen: Seen = old.get(key) ?? new Map()
    if (young.size >= messagesMax) {
      old = young
      young = new Map()
    }
    young.set(key, seen)
    return seen
  }

  return {
    recall: (org, segments) => {
      const messages: Message[] = []
      for (const [prefix, those] of byMessage(segments)) {
        const key = keyOf(org, prefix, those)
        messages.push({ prefix, segments: those, seen: key === undefined ? new Map() : seenIn(key) })
      }
      return messages
    },
  }
}

/** Segments of one message stand one after the other, as the projection goes through the body in order. */
function byMessage(segments: readonly Segment[]): readonly (readonly [prefix: string, segments: readonly Segment[]])[] {
  if (segments.some(({ pointer }) => PART.test(pointer))) return [['', segments]]
  const messages = new Map<string, Segment[]>()
  for (const segment of segments) {
    const prefix = PREFIX.exec(segment.pointer)?.[0] ?? ''
    const those = messages.get(prefix)
    if (those) those.push(segment)
    else messages.set(prefix, [segment])
  }
  return [...messages]
}

/** A hash over all that a local step may look at; undefined when it is too much to remember. */
function keyOf(org: string, prefix: string, segments: readonly Segment[]): string | undefined {
  let text = org
  for (const segment of segments) {
    const pointer = segment.pointer.slice(prefix.length)
    text += `\n${segment.author} ${pointer.length} ${segment.text.length} ${pointer}${segment.text}`
    if (text.length > MESSAGE_CHARS_MAX) return undefined
  }
  // UTF-8, which is what is hashed, has one form for all lone surrogates.
  return text.isWellFormed() ? sha256(text) : undefined
}

/**
 * Gives a step's findings in messages, from what is known and from `inspect`, which gets the segments of all others at once.
 * What it finds is remembered; when it throws, nothing is. Throws when it points at something that it was not given.
 */
export function findAgain(
  step: string,
  messages: readonly Message[],
  inspect: (segments: readonly Segment[]) => readonly Finding[],
): readonly Finding[] {
  const unknown = messages.filter(({ seen }) => !seen.has(step))
  const found = unknown.length === 0 ? [] : inspect(unknown.flatMap(({ segments }) => segments))
  remember(step, unknown, found)
  const again = messages.flatMap((message) =>
    unknown.includes(message) ? [] : (message.seen.get(step) ?? []).map((finding) => moved(finding, message.prefix)),
  )
  return again.length === 0 ? found : [...found, ...again]
}

const moved = (finding: Finding, prefix: string): Finding => ({ ...finding, pointer: prefix + finding.pointer })

function remember(step: string, messages: readonly Message[], findings: readonly Finding[]): void {
  const isSplit = messages.some(({ prefix }) => prefix !== '')
  const byPrefix = new Map<string, Finding[]>(messages.map(({ prefix }) => [prefix, []]))
  for (const finding of findings) {
    const prefix = isSplit ? (PREFIX.exec(finding.pointer)?.[0] ?? '') : ''
    const there = byPrefix.get(prefix)
    if (!there) throw new Error(`${step} points at a message that it was not given`)
    there.push({ ...finding, pointer: finding.pointer.slice(prefix.length) })
  }
  for (const { prefix, seen } of messages) {
    const those = byPrefix.get(prefix) ?? []
    if (those.length <= FINDINGS_MAX) seen.set(step, those)
  }
}
