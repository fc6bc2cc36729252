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

function newNode(depth: number): Node {
  return { next: new Map(), fail: 0, keywords: [], depth, partialChars: 0 }
}

/**
 * Creates a scanner for keywords of printable ASCII. Letters match in either case. A keyword given twice is visited
 * under both indexes. Throws when a keyword is empty or not ASCII.
 */
export function createKeywordScanner(keywords: readonly string[]): KeywordScanner {
  const nodes = trie(keywords)
  linkFailures(nodes)
  const symbolOf = symbols(keywords)
  const width = Math.max(0, ...symbolOf) + 1
  const table = transitions(nodes, symbolOf, width)
  const lengths = keywords.map((keyword) => keyword.length)
  return (text, visit) => {
    let offset = 0
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      offset = code < 128 ? (table[offset + (symbolOf[code] as number)] as number) : 0
      if (offset >= 0) continue
      offset = ~offset
      for (const keyword of (nodes[offset / width] as Node).keywords)
        visit(keyword, index + 1 - (lengths[keyword] as number))
    }
    return (nodes[offset / width] as Node).partialChars
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

/** Breadth first, so that a state's failure link is complete before its children need it. */
function linkFailures(nodes: Node[]): void {
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
}

/** Numbers the characters that occur in keywords from 1, upper case as lower; all others are 0. Keeps the table small. */
function symbols(keywords: readonly string[]): Uint8Array {
  const symbolOf = new Uint8Array(128)
  let count = 0
  for (const character of new Set(keywords.join('').toLowerCase())) {
    count++
    symbolOf[character.charCodeAt(0)] = count
    symbolOf[character.toUpperCase().charCodeAt(0)] = count
  }
  return symbolOf
}

/** For each state and symbol the offset of the next state's row; its complement (negative) where a keyword ends there. */
function transitions(nodes: readonly Node[], symbolOf: Uint8Array, width: number): Int32Array {
  const next = new Int32Array(nodes.length * width)
  const order = [0]
  for (const state of order) {
    const node = nodes[state] as Node
    if (state !== 0) next.copyWithin(state * width, node.fail * width, node.fail * width + width)
    for (const [code, child] of node.next) {
      next[state * width + (symbolOf[code] as number)] = child
      order.push(child)
    }
  }
  return next.map((state) => (nodes[state]?.keywords.length === 0 ? state * width : ~(state * width)))
}
