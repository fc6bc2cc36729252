/** Parsed regular expressions, as far as patterns may use the syntax. */
import { type AST, RegExpParser } from '@eslint-community/regexpp'

/** What stands in a sequence. */
export type Element = AST.Element

/** Alternative sequences. */
export type Alternatives = readonly AST.Alternative[]

/**
 * Returns the alternatives of an expression. Throws when it is none, or uses what patterns don't: anchors (a pattern is
 * tried at an index), names of groups, references back (they have no bound), and flags inside (`(?-i:…)`).
 */
export function parseRegex({ source, flags }: Pick<RegExp, 'source' | 'flags'>): Alternatives {
  const parser = new RegExpParser({ ecmaVersion: 2025 })
  const pattern = parser.parsePattern(source, 0, source.length, { unicode: flags.includes('u') })
  for (const alternative of pattern.alternatives) alternative.elements.forEach(assertSupported)
  return pattern.alternatives
}

function assertSupported(element: Element): void {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass':
      return
    case 'Quantifier':
      assertSupported(element.element)
      return
    case 'CapturingGroup':
    case 'Group':
    case 'Assertion':
      if (element.type === 'CapturingGroup' && element.name !== null) break
      // Node 26.10 stops to match them in a process that has run for a while; the forms of rules say whether case counts.
      if (element.type === 'Group' && element.modifiers !== null) break
      if ('alternatives' in element) {
        for (const { elements } of element.alternatives) elements.forEach(assertSupported)
        return
      }
      if (element.kind === 'word') return
  }
  throw new Error(`not a pattern's syntax: ${element.raw}`)
}

/** The element that a quantifier is of, and the quantifier as it is written (`''` for once). */
export function quantified(
  element: Element,
): Readonly<{ once: Element; quantifier: string; min: number; max: number }> {
  if (element.type !== 'Quantifier') return { once: element, quantifier: '', min: 1, max: 1 }
  const { element: once, min, max } = element
  return { once, quantifier: element.raw.slice(once.raw.length), min, max }
}
