/**
 * Notices answers that would carry data away when they are shown: images and links that a reader's program fetches,
 * addresses with something packed into them, markup that runs, and text that a reader can't see.
 */
import { encodedRuns } from '../core/encoded-run.ts'
import { entropyBits } from '../core/entropy.ts'
import type { Severity } from '../core/finding.ts'
import { inspectAll } from '../core/inspection.ts'
import { type Pattern, patternDetector } from '../core/pattern.ts'
import type { Step } from '../core/step.ts'

/** An address as long as it may be here; what is longer goes on, but is judged by this much. */
const ADDRESS = '(?:https?:)?//[^\\s()<>"\'`\\]]{3,160}'

/** Whether text is packed into an address: base64 or hexadecimal that decodes to text, or a long percent-encoded one. */
const isPacked = (address: string): boolean => encodedRuns(address).length > 0 || /(?:%[0-9A-Fa-f]{2}){8}/.test(address)

/** A host name whose labels carry data (DNS): long, and as varied as only encoded text is. */
function hasPackedHost(address: string): boolean {
  const label = /^(?:https?:)?\/\/(?:[^/.?#]{1,63}\.){0,4}?([a-z0-9-]{32,63})\./i.exec(address)?.[1]
  return label !== undefined && /\d/.test(label) && entropyBits(label) >= HOST_BITS_MIN
}

/** English in 32 letters has about 3.5 bits a letter without digits; base32 of anything has more. */
const HOST_BITS_MIN = 3.5

/** A query with a value as long as something worth stealing. */
const hasQuery = (address: string): boolean => /[?&][^=\s&]{1,40}=[^&\s]{12}/.test(address)

/** An image is fetched without anybody's doing: a full query is suspicious, a packed address as good as certain. */
const judgeImage = (address: string): number =>
  isPacked(address) || hasPackedHost(address) ? 0.95 : hasQuery(address) ? 0.7 : 0.3

/** A link must be followed first. */
const judgeLink = (address: string): number | undefined =>
  isPacked(address) || hasPackedHost(address) ? 0.7 : hasQuery(address) ? 0.3 : undefined

/** An address that merely stands there. */
const judgeAddress = (address: string): number | undefined =>
  hasPackedHost(address) ? 0.7 : isPacked(address) ? 0.45 : undefined

const output = (
  kind: string,
  severity: Severity,
  keywords: string,
  source: string,
  judge: number | Pattern['judge'],
): Pattern => ({
  kind: `exfiltration.${kind}`,
  severity,
  confidence: typeof judge === 'number' ? judge : 0.5,
  keywords: keywords.split(' '),
  pattern: new RegExp(source, 'diy'),
  ...(typeof judge === 'function' ? { judge } : {}),
})

// biome-ignore format: a table, one form a line
const FORMS: readonly Pattern[] = [
  output('markdown_image', 'high', '![', `!\\[[^\\]\\n]{0,60}\\]\\(\\s{0,2}<?(${ADDRESS})`, judgeImage),
  output('markdown_image', 'high', '[', `\\[[^\\]\\n]{1,40}\\]:\\s{0,2}<?(${ADDRESS})`, judgeLink),
  output('markdown_link', 'medium', '](', `(?<!!\\[[^\\]\\n]{0,60})\\]\\(\\s{0,2}<?(${ADDRESS})`, judgeLink),
  output('html_image', 'high', '<img <video <audio <source <embed <object <link <input <iframe <svg', `<(?:img|video|audio|source|embed|object|link|input|iframe|svg)\\s[^<>]{0,60}?(?:src|href|data|poster|srcset)\\s{0,2}=\\s{0,2}["']?(${ADDRESS})`, judgeImage),
  output('css_image', 'medium', 'url(', `url\\(\\s{0,2}["']?(${ADDRESS})`, (address) => (isPacked(address) || hasPackedHost(address) ? 0.8 : undefined)),
  output('encoded_address', 'medium', 'http://', `(${ADDRESS})`, judgeAddress),
  output('encoded_address', 'medium', 'https://', `(${ADDRESS})`, judgeAddress),
  output('script_address', 'high', '](javascript: ](data:text/html ](vbscript: href="javascript: href=javascript: src="data:text/html', `(?:\\]\\(|href=["']?|src=["']?)\\s{0,2}((?:javascript|vbscript|data:text/html)[^\\s)"']{0,60})`, 0.9),
  // Answers about web pages hold these too; alone they are worth a note.
  output('active_html', 'low', '<script <iframe <object <embed', '<(?:script|iframe|object|embed)[\\s>/]', 0.4),
  output('active_html', 'medium', 'onerror onload onmouseover onfocus', '(?<=<[a-z]{1,10}\\s[^<>]{0,100})on(?:error|load|mouseover|focus)\\s{0,2}=', 0.45),
]

const detectForms = patternDetector(FORMS)

/** Tags, and runs of characters without width, in an answer: text for a machine. */
const HIDDEN =
  /(?:\udb40[\udc00-\udc7f]){4}|[\u200b-\u200f\u2060-\u2064\ufeff]{8}|(?:[\ufe00-\ufe0f]|\udb40[\udd00-\uddef]){4}/g
const HIDDEN_REST = /(?:[\ufe00-\ufe0f\u200b-\u200f\u2060-\u2064\ufeff]|\udb40[\udc00-\uddef])+/y

function detect(text: string): ReturnType<typeof detectForms> {
  const hidden = [...text.matchAll(HIDDEN)].map((match) => {
    HIDDEN_REST.lastIndex = match.index
    HIDDEN_REST.test(text)
    const end = HIDDEN_REST.lastIndex
    return { kind: 'exfiltration.hidden_text', severity: 'high', confidence: 0.9, start: match.index, end } as const
  })
  return [...detectForms(text), ...hidden]
}

/** Kinds `exfiltration.*`. */
export const step: Step = {
  name: 'scan_output',
  position: 700,
  category: 'response_safety',
  stages: ['response'],
  timeoutMs: 2_000,
  reachChars: 256,
  inspect: (call) => inspectAll(call.segments, detect),
}
