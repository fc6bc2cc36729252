/**
 * Where values and keys stand in JSON text, so that a part of it can be replaced and the rest kept to the byte. The text
 * has to be JSON that JSON.parse has taken; that is not checked again. Strings are jumped over, so that a body of long
 * texts costs next to nothing.
 */
import { containerPointer, pointerToken } from './json-pointer.ts'
import { applyEdits, type TextEdit } from './text-edit.ts'

/** Deeper text is not read: a member that a later one of the same name replaces may be as deep as it likes. */
export const SOURCE_DEPTH_MAX = 128

/** The text is nested deeper than SOURCE_DEPTH_MAX. */
export class SourceDepthError extends Error {
  override readonly name = 'SourceDepthError'
}

/** A member of an object: where its key (with quotes) and its value stand. */
export type SourceMember = Readonly<{
  name: string
  pointer: string
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
}>

/** Called while a text is read: for each string, number or literal, and for each value after all that is in it. */
export type SourceVisitor = Readonly<{
  scalar?: (pointer: string, start: number, end: number) => void
  object?: (members: readonly SourceMember[]) => void
}>

const [QUOTE, BACKSLASH, COLON, COMMA] = [34, 92, 58, 44] as const
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125] as const

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}

/** Index behind the string that starts at `start`. */
export function stringEnd(text: string, start: number): number {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return text.length
    let before = quote - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    // An even number of backslashes before a quote are escaped themselves.
    if ((quote - before) % 2 === 1) return quote + 1
    from = quote + 1
  }
}

/**
 * Counts the members of all objects in the text. Fewer in its value mean that names stand in it twice: JSON.parse keeps
 * the last of each.
 */
export function countMembers(text: string): number {
  let count = 0
  for (let from = 0; ; ) {
    const start = text.indexOf('"', from)
    if (start < 0) return count
    from = stringEnd(text, start)
    while (isBlank(text.charCodeAt(from))) from++
    if (text.charCodeAt(from) === COLON) count += 1
  }
}

/** Reads the text, and calls the visitor. Throws SourceDepthError. */
export function scanSource(text: string, visitor: SourceVisitor): void {
  new SourceScanner(text, visitor).scanValue('', 0)
}

class SourceScanner {
  readonly #text: string
  readonly #visitor: SourceVisitor
  #at = 0

  constructor(text: string, visitor: SourceVisitor) {
    this.#text = text
    this.#visitor = visitor
  }

  /** Reads a value, and stops behind it. */
  scanValue(pointer: string, depth: number): void {
    if (depth > SOURCE_DEPTH_MAX) throw new SourceDepthError()
    const code = this.#skipBlanks()
    if (code === OPEN_BRACE) this.#scanObject(containerPointer(pointer), depth)
    else if (code === OPEN_BRACKET) this.#scanArray(containerPointer(pointer), depth)
    else {
      const start = this.#at
      this.#at = code === QUOTE ? stringEnd(this.#text, start) : this.#literalEnd()
      this.#visitor.scalar?.(pointer, start, this.#at)
    }
  }

  #scanArray(pointer: string, depth: number): void {
    this.#at += 1
    for (let index = 0; this.#skipBlanks() !== CLOSE_BRACKET && this.#at < this.#text.length; index++) {
      this.scanValue(`${pointer}/${index}`, depth + 1)
      if (this.#skipBlanks() === COMMA) this.#at += 1
    }
    this.#at += 1
  }

  #scanObject(pointer: string, depth: number): void {
    const members: SourceMember[] = []
    this.#at += 1
    while (this.#skipBlanks() === QUOTE) {
      const keyStart = this.#at
      const keyEnd = stringEnd(this.#text, keyStart)
      const name = decodeString(this.#text.slice(keyStart, keyEnd))
      this.#at = keyEnd
      if (this.#skipBlanks() === COLON) this.#at += 1
      this.#skipBlanks()
      const valueStart = this.#at
      const memberPointer = `${pointer}/${pointerToken(name)}`
      this.scanValue(memberPointer, depth + 1)
      members.push({ name, pointer: memberPointer, keyStart, keyEnd, valueStart, valueEnd: this.#at })
      if (this.#skipBlanks() === COMMA) this.#at += 1
    }
    this.#at += 1
    this.#visitor.object?.(members)
  }

  #literalEnd(): number {
    let end = this.#at
    for (let code = this.#text.charCodeAt(end); end < this.#text.length; code = this.#text.charCodeAt(++end)) {
      if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isBlank(code)) break
    }
    return end
  }

  #skipBlanks(): number {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at += 1
    return this.#text.charCodeAt(this.#at)
  }
}

/** Given a string with its quotes, returns what it says. */
export function decodeString(source: string): string {
  return source.includes('\\') ? (JSON.parse(source) as string) : source.slice(1, -1)
}

/**
 * Returns the text without members that a later one of the same name replaces: what JSON.parse reads is then all that is
 * in it, whichever of two a reader takes. Throws SourceDepthError.
 */
export function withoutDuplicates(text: string): string {
  const edits: TextEdit[] = []
  scanSource(text, {
    object: (members) => {
      const last = new Map(members.map(({ name }, index) => [name, index]))
      for (const [index, { name, keyStart }] of members.entries()) {
        const next = members[index + 1]
        // A member that is not the last of its name has another one behind it.
        if (next && last.get(name) !== index) edits.push({ start: keyStart, end: next.keyStart, text: '' })
      }
    },
  })
  return applyEdits(text, edits)
}

/** Returns the source of the values at these pointers. */
export function sourcesAt(text: string, pointers: ReadonlySet<string>): ReadonlyMap<string, string> {
  const sources = new Map<string, string>()
  scanSource(text, {
    scalar: (pointer, start, end) => {
      if (pointers.has(pointer)) sources.set(pointer, text.slice(start, end))
    },
  })
  return sources
}
