/** The pages that are written from the table of rooms: a README.md in each room, and the drawing in docs/architecture.md. */
import { type Room, rooms } from './room.ts'

/** The marks in docs/architecture.md between which the drawing stands. */
const drawingStart = '<!-- rooms: written by test/architecture/write-rooms.ts -->'
const drawingEnd = '<!-- end of rooms -->'

const isFolder = ({ path }: Room): boolean => !path.endsWith('.ts')

const shortName = (path: string): string => path.replace(/^(server|scripts)\//, '')

/** The README.md of a room: what it is, and which rooms it may know. */
export const roomReadme = ({ path, is, knows, isSet }: Room): string => {
  const name = isFolder({ path, is, knows }) ? path : ''
  const known = knows.length === 0 ? 'no other room' : knows.map((each) => `\`${each}\``).join(', ')
  const set = isSet ? '\nIts members are interchangeable and don’t import each other.\n' : ''
  return `# ${name}\n\n${is}\n${set}\nMay import: ${known}.\n`
}

/** All of them, path and text. */
export const roomReadmes = (): readonly (readonly [path: string, text: string])[] =>
  rooms.filter(isFolder).map((room) => [`${room.path}/README.md`, roomReadme(room)])

/** One half as a table, from the top floor down: a room, what it is, what it may import. */
const drawHalf = (half: 'server' | 'scripts'): string => {
  const rows = rooms
    .filter(({ path }) => path === half || path.startsWith(`${half}/`))
    .toReversed()
    .map(({ path, is, knows }) => `| \`${path}\` | ${is} | ${knows.map(shortName).join(', ') || '–'} |`)
  return ['| room | what it is | may import |', '|---|---|---|', ...rows].join('\n')
}

/** The long arrows only: what can be reached over another room is left out, so that the drawing shows the floors. */
const drawArrows = (half: 'server' | 'scripts'): string => {
  const ours = rooms.filter(({ path }) => path === half || path.startsWith(`${half}/`))
  const knownBy = new Map(ours.map(({ path, knows }) => [path, knows]))
  const reaches = (from: string, to: string): boolean =>
    (knownBy.get(from) ?? []).some((next) => next === to || reaches(next, to))
  const id = (path: string): string => path.replace(/[^a-z]/g, '_')
  const lines = ours.flatMap(({ path, knows }) =>
    knows
      .filter((to) => !knows.some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${id(path)}["${shortName(path)}"] --> ${id(to)}["${shortName(to)}"]`),
  )
  return ['```mermaid', 'flowchart TD', ...lines, '```'].join('\n')
}

const drawing = (): string =>
  [
    drawingStart,
    '### The gateway, `server/`',
    drawArrows('server'),
    drawHalf('server'),
    '### The toolkit, `scripts/`',
    drawArrows('scripts'),
    drawHalf('scripts'),
    drawingEnd,
  ].join('\n\n')

/** Takes the text of docs/architecture.md, returns it with the drawing of today. Throws when the marks are missing. */
export const withDrawing = (page: string): string => {
  const [start, end] = [page.indexOf(drawingStart), page.indexOf(drawingEnd)]
  if (start < 0 || end < start) throw new Error(`docs/architecture.md lacks ${drawingStart} … ${drawingEnd}`)
  return page.slice(0, start) + drawing() + page.slice(end + drawingEnd.length)
}
