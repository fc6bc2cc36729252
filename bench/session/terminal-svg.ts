/** A terminal session as a static SVG: text that can be selected, no script, no font to load. */
import { linesOf, type ShownCommand } from './shown-command.ts'

const [CHAR_WIDTH, LINE_HEIGHT, MARGIN, BAR_HEIGHT, FONT_SIZE] = [7.8, 19, 18, 34, 13] as const

/** What is set off in a line, first match wins, and the class that it gets. */
const MARKS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\[REDACTED:[\w.]+\]/, 'held'],
  [/govern_redact\b/, 'held'],
  [/govern_block\b|Secret detected.*|[Ff]ailed.*/, 'refused'],
  [/govern_allow\b|TapPass is running|^no changes needed.*/, 'fine'],
  [/^\s*-(?!-).*/, 'refused'],
  [/^\s*\+(?!\+).*/, 'fine'],
]

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function marked(text: string): string {
  for (const [pattern, name] of MARKS) {
    const match = pattern.exec(text)
    if (match === null) continue
    const end = match.index + match[0].length
    return `${escaped(text.slice(0, match.index))}<tspan class="${name}">${escaped(match[0])}</tspan>${escaped(text.slice(end))}`
  }
  return escaped(text)
}

/** Takes a session and what it shows in words; gives the file's text. */
export function renderSvg(session: readonly ShownCommand[], title: string): string {
  const lines = linesOf(session)
  const columns = Math.max(...lines.map(({ text }) => text.length))
  const width = Math.ceil(columns * CHAR_WIDTH + 2 * MARGIN)
  const height = BAR_HEIGHT + lines.length * LINE_HEIGHT + MARGIN
  const texts = lines.map(({ text, isTyped }, index) => {
    const y = BAR_HEIGHT + (index + 1) * LINE_HEIGHT
    // The length is fixed, so that columns stand under each other in whatever font there is.
    const length = (text.length * CHAR_WIDTH).toFixed(1)
    const content = isTyped
      ? `<tspan class="prompt">${escaped(text.slice(0, 1))}</tspan>${escaped(text.slice(1))}`
      : marked(text)
    return `<text x="${MARGIN}" y="${y}" textLength="${length}"${isTyped ? ' class="typed"' : ''}>${content}</text>`
  })
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (color, index) => `<circle cx="${MARGIN + 5 + index * 18}" cy="17" r="5.5" fill="${color}"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" xml:space="preserve">
<title>${escaped(title)}</title>
<style>
text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #a9b4c2; white-space: pre }
.typed { fill: #f0f4f8 }
.prompt, .fine { fill: #5fd38d }
.held { fill: #f2c14e }
.refused { fill: #ff7b72 }
</style>
<rect width="${width}" height="${height}" rx="9" fill="#11161d"/>
${dots.join('')}
${texts.join('\n')}
</svg>
`
}
