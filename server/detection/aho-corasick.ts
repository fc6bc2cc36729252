/**
 * Finds all occurrences of many keywords in one pass over a text (Aho & Corasick 1975). It is the cheap test before
 * the expensive one: patterns are tried only where a keyword occurs. Time is linear in the text, for every text.
 */

/**
 * Calls `visit` for each occurrence, in the order of their ends: which keyword (its index), and where it starts.
 * Returns how many characters at the end of the text may be the beginning of a longer keyword.
 */
export type KeywordScanner = (text: string, visit: (keyword: number, start: number) => void) => number

/** A state with its branches while the automaton is built. */
type Node = {
  readonly next: Map<number, number>
  fail: number
  readonly keywords: number[]
  /** Characters from the root to here. */
  readonly depth: number
  /** `depth` of the longest state that ends here too and can be continued. */
  partialChars: number
}

/** States whose complements are numbers of 16 bits, which take half the room. */
const INT16_STATES_MAX = 0x8000

function newNode(depth: number): Node {
  return { next: new Map(), fail: 0, keywords: [], depth, partialChars: 0 }
}

/**
 * Creates a scanner for keywords of printable ASCII. Letters match in either case. A keyword given twice is visited
 * under both indexes. Throws when a keyword is empty or not ASCII.
 */
export function createKeywordScanner(keywords: readonly string[]): KeywordScanner {
  const nodes = trie(keywords)
  const order = linkFailures(nodes)
  const symbolOf = symbols(keywords)
  const shift = Math.ceil(Math.log2(Math.max(0, ...symbolOf) + 1))
  const table = transitions(nodes, order, symbolOf, shift)
  const lengths = keywords.map((keyword) => keyword.length)
  const ends = order.map((node) => (nodes[node] as Node).keywords)
  const partialChars = Uint32Array.from(order, (node) => (nodes[node] as Node).partialChars)
  return (text, visit) => {
    let state = 0
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      state = code < 128 ? (table[(state << shift) | (symbolOf[code] as number)] as number) : 0
      if (state >= 0) continue
      state = ~state
      for (const keyword of ends[state] as readonly number[]) visit(keyword, index + 1 - (lengths[keyword] as number))
    }
    return partialChars[state] as number
  }
}

function trie(keywords: readonly string[]): Node[] {
  const nodes: Node[] = [newNode(0)]
  keywords.forEach((keyword, index) => {
    if (!/^[\x20-\x7e]+$/.test(keyword)) throw new Error(`not a keyword: ${JSON.stringify(keyword)}`)
    let state = 0
    for (const character of keyword.toLowerCase()) {
      const code = character.charCodeAt(0)
      let next = nodes[state]?.next.get(code)
      if (next === undefined) {
        next = nodes.length
        nodes.push(newNode((nodes[state] as Node).depth + 1))
        nodes[state]?.next.set(code, next)
      }
      state = next
    }
    nodes[state]?.keywords.push(index)
  })
  return nodes
}

/**
 * Breadth first, so that a state's failure link is complete before its children need it. Returns the nodes in that order, in
 * which they are numbered as states: the few near the root that ordinary text keeps to are next to each other in the cache.
 */
function linkFailures(nodes: readonly Node[]): readonly number[] {
  const queue = [0]
  for (const state of queue) {
    const node = nodes[state] as Node
    node.partialChars = node.next.size > 0 ? node.depth : (nodes[node.fail] as Node).partialChars
    for (const [code, child] of node.next) {
      queue.push(child)
      if (state === 0) continue
      let fail = node.fail
      while (fail !== 0 && !nodes[fail]?.next.has(code)) fail = nodes[fail]?.fail ?? 0
      const childNode = nodes[child] as Node
      childNode.fail = nodes[fail]?.next.get(code) ?? 0
      childNode.keywords.push(...(nodes[childNode.fail]?.keywords ?? []))
    }
  }
  return queue
}

/**
 * Numbers the characters that occur in keywords from 1, the most frequent first, upper case as lower; all others are 0. That
 * keeps the table small, and what is read of its rows together.
 */
function symbols(keywords: readonly string[]): Uint8Array {
  const counts = new Map<string, number>()
  for (const character of keywords.join('').toLowerCase()) counts.set(character, (counts.get(character) ?? 0) + 1)
  const symbolOf = new Uint8Array(128)
  const byCount = [...counts].toSorted(([, one], [, other]) => other - one)
  for (const [index, [character]] of byCount.entries()) {
    symbolOf[character.charCodeAt(0)] = index + 1
    symbolOf[character.toUpperCase().charCodeAt(0)] = index + 1
  }
  return symbolOf
}

/** For each state and symbol the next state; its complement (negative) where a keyword ends. */
function transitions(
  nodes: readonly Node[],
  order: readonly number[],
  symbolOf: Uint8Array,
  shift: number,
): Int16Array | Int32Array {
  const stateOf = new Map(order.map((node, state) => [node, state]))
  const next = new (order.length <= INT16_STATES_MAX ? Int16Array : Int32Array)(order.length << shift)
  for (const [state, index] of order.entries()) {
    const node = nodes[index] as Node
    const row = state << shift
    const fail = (stateOf.get(node.fail) as number) << shift
    if (state !== 0) next.copyWithin(row, fail, fail + (1 << shift))
    for (const [code, child] of node.next) {
      const childState = stateOf.get(child) as number
      const isEnd = (nodes[child] as Node).keywords.length > 0
      next[row | (symbolOf[code] as number)] = isEnd ? ~childState : childState
    }
  }
  return next
}
