/** How suspicious an address is in an answer: whether data is packed into it. */
import { encodedRuns } from '../../normalization/encoded-text.ts'
import { entropyBits } from './entropy.ts'

/**
 * Whether data is packed into an address: base64 or hexadecimal that decodes to text, or letters that needed no
 * percent-encoding.
 */
function isPacked(address: string): boolean {
  return encodedRuns(address).length > 0 || /(?:%(?:[46][1-9A-Fa-f]|[57][0-9Aa]|3[0-9])){6}/.test(address)
}

/** English in 32 letters has about 3.5 bits a letter without digits; base32 of anything has more. */
const HOST_BITS_MIN = 3.5

/** A host name whose labels carry data (DNS): long, and as varied as only encoded text is. */
function hasPackedHost(address: string): boolean {
  const label = /^(?:https?:)?\/\/(?:[^/.?#]{1,63}\.){0,4}?([a-z0-9]{32,63})\./i.exec(address)?.[1]
  return label !== undefined && /\d/.test(label) && entropyBits(label) >= HOST_BITS_MIN
}

/** A query with a value as long as a secret. */
function hasQuery(address: string): boolean {
  return /[?&][^=\s&]{1,40}=[^&\s]{16}/.test(address)
}

/** An image is fetched automatically: a full query is suspicious, a packed address nearly certain. */
export function gradeImage(address: string): number {
  return isPacked(address) || hasPackedHost(address) ? 0.95 : hasQuery(address) ? 0.7 : 0.3
}

/** A link must be followed first. */
export function gradeLink(address: string): number | undefined {
  return isPacked(address) || hasPackedHost(address) ? 0.7 : hasQuery(address) ? 0.3 : undefined
}

/** An image of a style sheet counts when data is packed into its address. */
export function gradeStyle(address: string): number | undefined {
  return isPacked(address) || hasPackedHost(address) ? 0.8 : undefined
}

/** An address in plain text. */
export function gradeAddress(address: string): number | undefined {
  return hasPackedHost(address) ? 0.7 : isPacked(address) ? 0.45 : undefined
}
