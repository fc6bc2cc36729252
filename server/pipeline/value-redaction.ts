/** Redacts a JSON body that is a value, such as a chunk of a stream; what has no finding in it stays the same object. */
import type { Finding } from '../core/finding.ts'
import { KEY_SUFFIX, pointerToken } from '../protocol/json-pointer.ts'
import { RedactionError, redactionMark, redactText, type Spans } from './redaction.ts'

type Container = Record<string, unknown> | unknown[]

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
  const kinds = new Set(spans.map(({ kind }) => kind))
  setMember(parent, key, typeof value === 'number' ? redactionMark([...kinds]) : redactText(value, spans))
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
  const tokens = pointer.split('/')
  let parent = root
  for (const token of tokens.slice(0, -1)) {
    const key = keyAt(parent, token)
    const child = member(parent, key)
    if (typeof child !== 'object' || child === null) throw new RedactionError('nothing at the pointer')
    const copy = copies.get(child as Container) ?? (Array.isArray(child) ? [...child] : { ...child })
    copies.set(copy, copy)
    setMember(parent, key, copy)
    parent = copy
  }
  const key = keyAt(parent, tokens.at(-1) as string)
  if (!Object.hasOwn(parent, key)) throw new RedactionError('nothing at the pointer')
  return { parent, key }
}

/** The key that a token of a pointer stands for: itself, or a long one by its hash. */
function keyAt(container: Container, token: string): string {
  const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
  if (Object.hasOwn(container, key)) return key
  return Object.keys(container).find((name) => pointerToken(name) === token) ?? key
}

function member(container: Container, key: string): unknown {
  return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined
}

/** Defines instead of assigning, so that a member called `__proto__` stays a member. */
function setMember(container: Container, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true })
}
