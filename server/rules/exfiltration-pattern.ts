/**
 * Addresses and markup by which a response could exfiltrate data: images that are fetched, links with data, active
 * markup.
 */

import type { Severity } from '../core/finding.ts'
import { encodedRuns } from '../detection/encoded-text.ts'
import { entropyBits } from '../detection/entropy.ts'
import type { Pattern } from '../detection/pattern.ts'

/** An address up to this length; a longer one is scored by its beginning. */
const ADDRESS = '(?:https?:)?//[^\\s()<>"\'`\\]]{3,160}'

/**
 * Whether data is packed into an address: base64 or hexadecimal that decodes to text, or letters that needed no
 * percent-encoding.
 */
function isPacked(address: string): boolean {
  return encodedRuns(address).length > 0 || /(?:%(?:[46][1-9A-Fa-f]|[57][0-9Aa]|3[0-9])){6}/.test(address)
}

/** A host name whose labels carry data (DNS): long, and as varied as only encoded text is. */
function hasPackedHost(address: string): boolean {
  const label = /^(?:https?:)?\/\/(?:[^/.?#]{1,63}\.){0,4}?([a-z0-9]{32,63})\./i.exec(address)?.[1]
  return label !== undefined && /\d/.test(label) && entropyBits(label) >= HOST_BITS_MIN
}

/** English in 32 letters has about 3.5 bits a letter without digits; base32 of anything has more. */
const HOST_BITS_MIN = 3.5

/** A query with a value as long as a secret. */
function hasQuery(address: string): boolean {
  return /[?&][^=\s&]{1,40}=[^&\s]{16}/.test(address)
}

/** An image is fetched automatically: a full query is suspicious, a packed address nearly certain. */
function scoreImage(address: string): number {
  return isPacked(address) || hasPackedHost(address) ? 0.95 : hasQuery(address) ? 0.7 : 0.3
}

/** A link must be followed first. */
function scoreLink(address: string): number | undefined {
  return isPacked(address) || hasPackedHost(address) ? 0.7 : hasQuery(address) ? 0.3 : undefined
}

/** An address in plain text. */
function scoreAddress(address: string): number | undefined {
  return hasPackedHost(address) ? 0.7 : isPacked(address) ? 0.45 : undefined
}

function exfiltration(
  kind: string,
  severity: Severity,
  keywords: string,
  source: string,
  score: number | Pattern['score'],
): Pattern {
  return {
    kind: `exfiltration.${kind}`,
    severity,
    confidence: typeof score === 'number' ? score : 0.5,
    keywords: keywords.split(' '),
    pattern: new RegExp(source, 'diy'),
    ...(typeof score === 'function' ? { score } : {}),
  }
}

/** All patterns by which a response exfiltrates data when it is displayed. */
// biome-ignore format: a table, one form a line
export const EXFILTRATION_PATTERNS: readonly Pattern[] = [
  exfiltration('markdown_image', 'high', '![', `!\\[[^\\]\\n]{0,60}\\]\\(\\s{0,2}<?(${ADDRESS})`, scoreImage),
  exfiltration('markdown_image', 'high', '[', `\\[[^\\]\\n]{1,40}\\]:\\s{0,2}<?(${ADDRESS})`, scoreLink),
  exfiltration('markdown_link', 'medium', '](', `(?<!!\\[[^\\]\\n]{0,60})\\]\\(\\s{0,2}<?(${ADDRESS})`, scoreLink),
  exfiltration('html_image', 'high', '<img <video <audio <source <embed <object <link <input <iframe <svg', `<(?:img|video|audio|source|embed|object|link|input|iframe|svg)\\s[^<>]{0,60}?(?:src|href|data|poster|srcset)\\s{0,2}=\\s{0,2}["']?(${ADDRESS})`, scoreImage),
  exfiltration('css_image', 'medium', 'url(', `url\\(\\s{0,2}["']?(${ADDRESS})`, (address) => (isPacked(address) || hasPackedHost(address) ? 0.8 : undefined)),
  exfiltration('encoded_address', 'medium', 'http://', `(${ADDRESS})`, scoreAddress),
  exfiltration('encoded_address', 'medium', 'https://', `(${ADDRESS})`, scoreAddress),
  exfiltration('script_address', 'high', '](javascript: ](data:text/html ](vbscript: href="javascript: href=javascript: src="data:text/html', `(?:\\]\\(|href=["']?|src=["']?)\\s{0,2}((?:javascript|vbscript|data:text/html)[^\\s)"']{0,60})`, 0.9),
  // Responses about web pages contain these too; alone they are low severity.
  exfiltration('active_html', 'low', '<script <iframe <object <embed', '<(?:script|iframe|object|embed)[\\s>/]', 0.4),
  exfiltration('active_html', 'medium', 'onerror onload onmouseover onfocus', '(?<=<[a-z]{1,10}\\s[^<>]{0,100})on(?:error|load|mouseover|focus)\\s{0,2}=', 0.45),
]
