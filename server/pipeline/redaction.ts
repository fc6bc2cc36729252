/** Redacts spans in texts and bodies. Pure; it decides nothing: the verdict names the kinds to redact. */
import type { Finding } from '../core/finding.ts'
import { KEY_SUFFIX } from '../protocol/projection.ts'

/** A half-open range of UTF-16 code units and the kinds of the findings in it. */
export type TextRange = Readonly<{ start: number; end: number; kinds: readonly string[] }>

/** A finding that has to be redacted points at nothing in the body. The body is then not safe to release. */
export class RedactionError extends Error {
  override readonly name = 'RedactionError'
}

type Container = Record<string, unknown> | unknown[]
type Spans = readonly Pick<Finding, 'kind' | 'span'>[]

/** The replacement of a text: `[REDACTED:pii.email]`, or several kinds joined by `+`. */
export function redactionMark(kinds: readonly string[]): string {
  return `[REDACTED:${kinds.join('+')}]`
}

/** Merges overlapping spans into ranges, in the order of the text; adjacent spans stay separate. */
export function mergeSpans(findings: Spans): readonly TextRange[] {
  const sorted = [...findings].sort((a, b) => a.span[0] - b.span[0] || b.span[1] - a.span[1])
  const ranges: { start: number; end: number; kinds: string[] }[] = []
  for (const { kind, span } of sorted) {
    const last = ranges.at(-1)
    if (last === undefined || span[0] >= last.end) ranges.push({ start: span[0], end: span[1], kinds: [kind] })
    else {
      last.end = Math.max(last.end, span[1])
      if (!last.kinds.includes(kind)) last.kinds.push(kind)
    }
  }
  return ranges
}

/** Returns the text with a mark in place of each range. Throws RedactionError on a span outside the text. */
export function redactText(text: string, findings: Spans): string {
  let redacted = ''
  let from = 0
  for (const { start, end, kinds } of mergeSpans(findings)) {
    if (start < 0 || end <= start || end > text.length) throw new RedactionError('span is not in the text')
    redacted += text.slice(from, start) + redactionMark(kinds)
    from = end
  }
  return redacted + text.slice(from)
}

/**
 * Returns a body in which the spans of all findings of `kinds` are replaced by marks; the rest is unchanged, and the
 * given body is not modified. Text in a key is replaced as well (the member keeps its place and value; a name that
 * exists gets `~2`, `~3` …); a number with a finding becomes a string. Throws RedactionError when a finding can't be
 * redacted: it points at nothing, or its span is empty.
 */
export function redact(body: unknown, findings: readonly Finding[], kinds: readonly string[]): unknown {
  const byPointer = new Map<string, Finding[]>()
  for (const finding of findings) {
    if (!kinds.includes(finding.kind)) continue
    const group = byPointer.get(finding.pointer)
    if (group === undefined) byPointer.set(finding.pointer, [finding])
    else group.push(finding)
  }
  const root: Container = { '': body }
  const copies = new Map<Container, Container>()
  // Keys last, and the deepest first: pointers use the original names.
  const isKey = (pointer: string): number => (pointer.endsWith(KEY_SUFFIX) ? 1 : 0)
  const pointers = [...byPointer.keys()].sort((a, b) => isKey(a) - isKey(b) || depthOf(b) - depthOf(a))
  for (const pointer of pointers) {
    const spans = byPointer.get(pointer) as Finding[]
    if (isKey(pointer) === 1) renameKey(root, copies, pointer.slice(0, -KEY_SUFFIX.length), spans)
    else replaceValue(root, copies, pointer, spans)
  }
  return root['']
}

function depthOf(pointer: string): number {
  return pointer.split('/').length
}

function replaceValue(root: Container, copies: Map<Container, Container>, pointer: string, spans: Spans): void {
  const { parent, key } = copyPath(root, copies, pointer)
  const value = member(parent, key)
  if (typeof value !== 'string' && typeof value !== 'number') throw new RedactionError('no text at the pointer')
  setMember(parent, key, redactText(String(value), spans))
}

function renameKey(root: Container, copies: Map<Container, Container>, pointer: string, spans: Spans): void {
  const { parent, key } = copyPath(root, copies, pointer)
  if (Array.isArray(parent)) throw new RedactionError('no key at the pointer')
  const members = Object.entries(parent)
  const names = new Set(Object.keys(parent))
  const redactedName = redactText(key, spans)
  let name = redactedName
  for (let count = 2; names.has(name); count++) name = `${redactedName}~${count}`
  for (const old of names) delete parent[old]
  for (const [old, value] of members) setMember(parent, old === key ? name : old, value)
}

/** Copies every container on the path once; returns the last one and the key in it. */
function copyPath(root: Container, copies: Map<Container, Container>, pointer: string) {
  const keys = pointer.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  let parent = root
  for (const key of keys.slice(0, -1)) {
    const child = member(parent, key)
    if (typeof child !== 'object' || child === null) throw new RedactionError('nothing at the pointer')
    const copy = copies.get(child as Container) ?? (Array.isArray(child) ? [...child] : { ...child })
    copies.set(copy, copy)
    setMember(parent, key, copy)
    parent = copy
  }
  const key = keys.at(-1) as string
  if (!Object.hasOwn(parent, key)) throw new RedactionError('nothing at the pointer')
  return { parent, key }
}

function member(container: Container, key: string): unknown {
  return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined
}

/** Defines instead of assigning, so that a member called `__proto__` stays a member. */
function setMember(container: Container, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true })
}
