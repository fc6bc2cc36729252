/** The tools that a stream has called so far. A name may come in pieces. */
import { isObject, type JsonObject } from '../protocol/stream-chunk.ts'
import { toolName, UNNAMED_TOOL } from '../protocol/tool-name.ts'

/** Names of the calls of all choices. How many there can be is bounded with the places of strings. */
export class CalledTools {
  readonly #names = new Map<string, string>()

  /** Adds the calls of a chunk. */
  add(chunk: JsonObject): void {
    for (const [place, choice] of itemsOf(chunk['choices']).entries()) {
      const delta = choice['delta'] ?? choice['message']
      if (!isObject(delta)) continue
      const at = choice['index'] ?? place
      for (const [number, call] of itemsOf(delta['tool_calls']).entries())
        this.#addName(`${at}/${call['index'] ?? number}`, call['function'] ?? call['custom'] ?? call)
      if (isObject(delta['function_call'])) this.#addName(`${at}`, delta['function_call'])
    }
  }

  /** All of them, sorted. */
  get names(): readonly string[] {
    if (this.#names.size === 0) return NONE
    return [...new Set([...this.#names.values()].map((name) => (name === '' ? UNNAMED_TOOL : toolName(name))))].sort()
  }

  #addName(call: string, named: unknown): void {
    const before = this.#names.get(call) ?? ''
    const name = isObject(named) && typeof named['name'] === 'string' ? named['name'] : ''
    // Some model servers send the name with every piece of the arguments.
    if (before === '' || !this.#names.has(call)) this.#names.set(call, name)
    else if (name !== '' && name !== before) this.#names.set(call, (before + name).slice(0, NAME_CHARS_MAX))
  }
}

const NONE: readonly string[] = []

/** A longer name is none. */
const NAME_CHARS_MAX = 129

function itemsOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}
