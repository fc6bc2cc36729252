/** Token lists of an answer (`logprobs`): the text once more, cut into tokens, as what they give when they are joined. */

type Members = Readonly<Record<string, unknown>>

/** Lists of a chat completion (`content`, `refusal`) and of a completion (`tokens`). */
const LISTS = ['content', 'refusal', 'tokens'] as const

/** Given the value of `logprobs`, returns the texts of its lists: tokens joined, and their bytes where they differ. */
export function tokenTexts(logprobs: unknown): readonly string[] {
  if (typeof logprobs !== 'object' || logprobs === null) return []
  return LISTS.flatMap((list) => {
    const items = (logprobs as Members)[list]
    return Array.isArray(items) ? joined(items) : []
  })
}

function joined(items: readonly unknown[]): readonly string[] {
  const tokens = items.map((item) => (typeof item === 'string' ? item : memberOf(item, 'token'))).filter(isString)
  const text = tokens.join('')
  const bytes = items.flatMap((item) => {
    const codes = memberOf(item, 'bytes')
    return Array.isArray(codes) ? codes : []
  })
  const decoded = Buffer.from(bytes).toString()
  return decoded === text ? [text] : [text, decoded]
}

function memberOf(item: unknown, name: string): unknown {
  return typeof item === 'object' && item !== null ? (item as Members)[name] : undefined
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
