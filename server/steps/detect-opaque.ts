/**
 * Detects what no other detector can read: long runs that decode to nothing readable, compressed and encrypted texts, and
 * what is encoded too deep. Whether that matters is for the policy; by default it is noted.
 */
import type { Segment } from '../core/call.ts'
import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'
import type { Match } from '../detection/pattern.ts'
import { contentOf } from '../normalization/byte-content.ts'
import { longRuns, type UnreadRun } from '../normalization/encoded-text.ts'
import { unpackBudget, unpackedText } from '../normalization/packed-bytes.ts'
import type { TextVariant } from '../normalization/text-variant.ts'

/** Hashes, keys, tokens and cursors are shorter. */
const RUN_CHARS_MIN = 512

/** So many different characters has a run of either encoding at least: more than digits, and more than words. */
const HEXADECIMAL_MIN = 12
const BASE64_MIN = 32

/** What model servers make themselves and want back as it is, and sound without a file around it. */
const MADE_BY_SERVER = /\/(?:signature|thought_signature|encrypted_content|input_audio\/data)$/

/** What encrypted texts begin with, in short and with what follows. */
const ENCRYPTED_WORDS = ['-----BEGIN ', '$ANSIBLE_VAULT;', 'age-encryption.org/v1', 'U2FsdGVkX1']
const ENCRYPTED =
  /-----BEGIN (?:PGP MESSAGE|AGE ENCRYPTED FILE|CMS)-----[\s\S]{0,120}?[A-Za-z0-9+/]{40}|\$ANSIBLE_VAULT;\d\.\d;AES|age-encryption\.org\/v1\n->|\bU2FsdGVkX1[A-Za-z0-9+/]{20}/

/** The first line of certificates and public keys, which nobody has to read. */
const ARMOUR = /-----BEGIN [A-Z0-9 ]{3,40}-----\s{1,8}(?:[A-Za-z-]{3,20}: [^\n]{0,100}\n{1,2}){0,4}$/
const ARMOUR_CHARS = 300

/** In a text that is none, so many of its characters are controls or could not be read as UTF-8. */
const BINARY_SHARE = 0.1
const BINARY_CHARS_MIN = 200
const BINARY = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]/g

/** Kinds `opaque.*`, at most one in each text. */
export function createStep(engine: Engine): LocalStep {
  return {
    name: 'detect_opaque',
    position: 270,
    category: 'data_protection',
    stages: ['request'],
    isCacheable: true,
    inspect: ({ segments }) =>
      engine.scan(segments, (text, _, segment, variant) => (isExempt(segment) ? [] : opaqueMatches(text, variant)), {
        isWhole: true,
        weigh: (matches) => matches.slice(0, 1),
      }),
  }
}

/** A turn of the model that cannot be shown is encrypted by its server. */
function isExempt({ pointer, author }: Segment): boolean {
  return MADE_BY_SERVER.test(pointer) || (author === 'assistant' && pointer.endsWith('/data'))
}

function opaqueMatches(text: string, { unread, isVisible, isEdited }: TextVariant): readonly Match[] {
  const tooMuch = unread.map((run) => matchOf(isVisible ? 'compressed' : 'nested', run))
  // Of an edited text, a run may be there in part.
  if (isEdited === true) return tooMuch
  const encrypted = ENCRYPTED_WORDS.some((word) => text.includes(word)) ? ENCRYPTED.exec(text) : null
  const known = encrypted === null ? tooMuch : [...tooMuch, matchOf('encrypted', rangeOf(encrypted))]
  const run = known.length > 0 ? undefined : firstOpaqueRun(text)
  const isBinary = isVisible && text.length >= BINARY_CHARS_MIN && binaryShare(text) >= BINARY_SHARE
  const binary = isBinary ? [matchOf('binary', { start: 0, end: text.length })] : []
  return [...known, ...(run === undefined ? [] : [run]), ...binary]
}

function rangeOf({ 0: found, index }: RegExpExecArray): UnreadRun {
  return { start: index, end: index + found.length }
}

function matchOf(kind: string, { start, end }: UnreadRun): Match {
  return { kind: `opaque.${kind}`, severity: 'low', confidence: 0.9, start, end }
}

/** Of a longer run, the beginning tells what it is. */
const SAMPLE_CHARS = 64 * 1024

function firstOpaqueRun(text: string): Match | undefined {
  for (const run of longRuns(text, RUN_CHARS_MIN)) {
    const lines = text.slice(run.start, Math.min(run.end, run.start + SAMPLE_CHARS))
    const kind = isDigests(lines) ? undefined : opaqueKind(lines.replace(/\s/g, ''), () => isArmoured(text, run))
    if (kind !== undefined) return matchOf(kind, run)
  }
  return undefined
}

/** Certificates and public keys have a first line that says so. */
function isArmoured(text: string, { start }: UnreadRun): boolean {
  return ARMOUR.test(text.slice(Math.max(0, start - ARMOUR_CHARS), start))
}

/** A list of hashes, a line each. */
const DIGESTS =
  /^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})(?:\s{1,9}[0-9a-fA-F]{40,128}){3,}$/

function isDigests(lines: string): boolean {
  return DIGESTS.test(lines) && new Set(lines.split(/\s+/).map(({ length }) => length)).size === 1
}

/** What a run is that nobody can read; undefined for one that somebody can, or that encodes nothing. */
function opaqueKind(run: string, isArmouredRun: () => boolean): string | undefined {
  const isHexadecimal = /^[0-9a-fA-F]+$/.test(run)
  // One character over and over, a number, a word and a sequence of genes are no encoding of anything.
  const characters = new Set(run.slice(0, RUN_CHARS_MIN)).size
  if (characters < (isHexadecimal ? HEXADECIMAL_MIN : BASE64_MIN)) return undefined
  const bytes = Buffer.from(run, isHexadecimal ? 'hex' : 'base64')
  const content = contentOf(bytes)
  if (content === 'text' || content === 'media' || (content === 'key' && isArmouredRun())) return undefined
  if (unpackedText(bytes, unpackBudget(true)) !== undefined) return undefined
  // Letters may be stuck to its front.
  if ([1, 2, 3].some((shift) => contentOf(Buffer.from(run.slice(shift), 'base64')) === 'text')) return undefined
  if (content === 'compressed' || content === 'encrypted') return content
  return isHexadecimal ? 'hexadecimal' : 'base64'
}

/** Counted one by one: each match in a list would take fifty times its text. */
function binaryShare(text: string): number {
  let count = 0
  BINARY.lastIndex = 0
  while (BINARY.test(text)) count++
  return count / text.length
}
