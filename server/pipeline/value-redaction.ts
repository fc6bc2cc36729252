/** Redacts a JSON body that is a value, such as a chunk of a stream; what has no finding in it stays the same object. */
import type { Finding } from '../core/finding.ts'
import { exactNumber } from '../protocol/exact-number.ts'
import { KEY_SUFFIX, pointerToken } from '../protocol/json-pointer.ts'
import type { AliasOf } from './id-alias.ts'
import { redactionMark } from './plain-redaction.ts'
import { createFreeName, RedactionError, redactText, type Spans } from './redaction.ts'

type Container = Record<string, unknown> | unknown[]

/**
 * Returns a body in which the spans of all findings of `kinds` are replaced by marks; the rest is unchanged, and the
 * given body is not modified. Text in a key is replaced as well (the member keeps its place and value; a name that
 * exists gets `~2`, `~3` …); a number with a finding becomes a string. Throws RedactionError when a finding can't be
 * redacted: it points at nothing, or its span is empty.
 */
export function redact(
  body: unknown,
  findings: readonly Finding[],
  kinds: readonly string[],
  aliasOf: AliasOf,
): unknown {
  const byPointer = new Map<string, Finding[]>()
  for (const finding of findings) {
    if (!kinds.includes(finding.kind)) continue
    const group = byPointer.get(finding.pointer)
    if (group === undefined) byPointer.set(finding.pointer, [finding])
    else group.push(finding)
  }
  const root: Container = { '': body }
  const editor: Editor = { root, copies: new Set(), hashedKeys: new Map() }
  const [keys, values] = partition([...byPointer], ([pointer]) => pointer.endsWith(KEY_SUFFIX))
  for (const [pointer, spans] of values) replaceValue(editor, pointer, spans, aliasOf)
  // Keys last, and the deepest first: pointers use the original names.
  const byParent = [...Map.groupBy(keys, ([pointer]) => pointer.slice(0, pointer.lastIndexOf('/')))]
    .map(([parent, inParent]) => ({ depth: parent.split('/').length, inParent }))
    .sort((one, other) => other.depth - one.depth)
  for (const { inParent } of byParent) renameKeys(editor, inParent)
  return root['']
}

/** A body that is changed: what of it was copied, and the keys of its objects by the hashes that pointers name them by. */
type Editor = Readonly<{
  root: Container
  copies: Set<Container>
  hashedKeys: Map<Container, ReadonlyMap<string, string>>
}>

type PointedSpans = readonly [pointer: string, spans: Spans]

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): readonly [first: T[], second: T[]] {
  const parts: [T[], T[]] = [[], []]
  for (const one of all) parts[isFirst(one) ? 0 : 1].push(one)
  return parts
}

function replaceValue(editor: Editor, pointer: string, spans: Spans, aliasOf: AliasOf): void {
  const { parent, key } = copyPath(editor, pointer)
  const value = exactNumber(member(parent, key)) === undefined ? member(parent, key) : 0
  if (typeof value !== 'string' && typeof value !== 'number') throw new RedactionError('no text at the pointer')
  const kinds = new Set(spans.map(({ kind }) => kind))
  const redacted = typeof value === 'number' ? redactionMark([...kinds]) : redactText(value, spans)
  setMember(parent, key, aliasOf(pointer, String(value)) ?? redacted)
}

/** Renames keys of one object, all in one pass. */
function renameKeys(editor: Editor, renames: readonly PointedSpans[]): void {
  const first = (renames[0] as PointedSpans)[0].slice(0, -KEY_SUFFIX.length)
  const { parent } = copyPath(editor, first)
  if (Array.isArray(parent)) throw new RedactionError('no key at the pointer')
  const spansOf = new Map(
    renames.map(([pointer, spans]) => [pointer.slice(pointer.lastIndexOf('/') + 1, -KEY_SUFFIX.length), spans]),
  )
  const members = Object.entries(parent)
  const freeName = createFreeName(new Set(Object.keys(parent)))
  for (const [name] of members) delete parent[name]
  for (const [name, value] of members) {
    const token = pointerToken(name)
    const spans = spansOf.get(token)
    spansOf.delete(token)
    setMember(parent, spans === undefined ? name : freeName(redactText(name, spans)), value)
  }
  if (spansOf.size > 0) throw new RedactionError('nothing at the pointer')
}

/** Copies every container on the path once; returns the last one and the key in it. */
function copyPath(editor: Editor, pointer: string) {
  const tokens = pointer.split('/')
  let parent = editor.root
  for (const token of tokens.slice(0, -1)) {
    const key = keyAt(editor, parent, token)
    const child = member(parent, key)
    if (typeof child !== 'object' || child === null) throw new RedactionError('nothing at the pointer')
    const isCopy = editor.copies.has(child as Container)
    const copy = isCopy ? (child as Container) : Array.isArray(child) ? [...child] : { ...child }
    editor.copies.add(copy)
    if (!isCopy) setMember(parent, key, copy)
    parent = copy
  }
  const key = keyAt(editor, parent, tokens.at(-1) as string)
  if (!Object.hasOwn(parent, key)) throw new RedactionError('nothing at the pointer')
  return { parent, key }
}

/** The key that a token of a pointer stands for: itself, or a long one by its hash. */
function keyAt({ hashedKeys }: Editor, container: Container, token: string): string {
  const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
  if (Object.hasOwn(container, key)) return key
  const known = hashedKeys.get(container) ?? new Map(Object.keys(container).map((name) => [pointerToken(name), name]))
  hashedKeys.set(container, known)
  return known.get(token) ?? key
}

function member(container: Container, key: string): unknown {
  return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined
}

/** Defines instead of assigning, so that a member called `__proto__` stays a member. */
function setMember(container: Container, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true })
}
