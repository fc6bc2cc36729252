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
  return label !== undefined && /\d/.test(label) && entropyBits(label) >= HOST_BITS_MIN && !isHexadecimalId(label)
}

/** Hexadecimal that is no text: the id of a cluster, a hash. */
function isHexadecimalId(label: string): boolean {
  return /^[0-9a-f]+$/i.test(label) && /[^\x20-\x7e]/.test(Buffer.from(label, 'hex').toString('latin1'))
}

/** Where ordinary pages get fonts, badges, videos, maps and placeholders from: whoever writes an address there reads no log of it. */
const PUBLIC_HOST =
  /^(?:https?:)?\/\/(?:fonts\.(?:googleapis|gstatic|bunny)\.(?:com|net)|maps\.(?:googleapis|gstatic|google)\.com|(?:www\.)?google\.com\/maps|(?:www\.)?youtube(?:-nocookie)?\.com|i\.ytimg\.com|player\.vimeo\.com|(?:www\.)?loom\.com|(?:img\.)?shields\.io|badge(?:n\.net|\.fury\.io)|codecov\.io|github\.com|(?:raw|avatars|user-images|camo)\.githubusercontent\.com|images\.unsplash\.com|placehold\.co|via\.placeholder\.com|picsum\.photos|(?:secure|www)\.gravatar\.com|cdn\.jsdelivr\.net|unpkg\.com|cdnjs\.cloudflare\.com|upload\.wikimedia\.org|tile\.openstreetmap\.org)(?=[/?#]|$)/i

/** A query with a value as long as a secret. */
function hasQuery(address: string): boolean {
  return /[?&][^=\s&]{1,40}=[^&\s]{16}/.test(address)
}

/** An image is fetched automatically, unless from a public host: a full query is suspicious, a packed address nearly certain. */
export function gradeImage(address: string): number {
  if (PUBLIC_HOST.test(address)) return 0.3
  return isPacked(address) || hasPackedHost(address) ? 0.95 : hasQuery(address) ? 0.7 : 0.3
}

/** A link must be followed first. */
export function gradeLink(address: string): number | undefined {
  if (PUBLIC_HOST.test(address)) return undefined
  return isPacked(address) || hasPackedHost(address) ? 0.7 : hasQuery(address) ? 0.3 : undefined
}

/** An image of a style sheet counts when data is packed into its address. */
export function gradeStyle(address: string): number | undefined {
  if (PUBLIC_HOST.test(address)) return undefined
  return isPacked(address) || hasPackedHost(address) ? 0.8 : undefined
}

/** An address in plain text. */
export function gradeAddress(address: string): number | undefined {
  return hasPackedHost(address) ? 0.7 : isPacked(address) ? 0.45 : undefined
}
