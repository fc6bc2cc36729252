/**
 * Makes what came back comparable: ids, times, hashes and measured numbers become names. Within one answer the same value
 * has the same name wherever it stands (headers, body, entries of the ledger); values that were kept have theirs everywhere.
 */
import { createHash } from 'node:crypto'
import type { Reply } from './exchange.ts'
import type { Sent } from './model-stand-in.ts'

/** An entry of the ledger as `GET /audit` gives it. */
export type LedgerEntry = Readonly<Record<string, unknown>>

/** What is recorded of a request. */
export type Recorded = Readonly<{
  status: number
  headers: readonly string[]
  body: unknown
  sent: readonly unknown[]
  ledger: readonly unknown[]
}>

/** Kept values by their names. */
export type Kept = ReadonlyMap<string, string>

/** Shapes of values that are new in every run, in the order in which they are looked for. */
const SHAPES: readonly (readonly [name: string, shape: RegExp])[] = [
  ['key', /(?<![\w-])tp_(?:dev_|pat_)?[\w-]{43}(?![\w-])/g],
  ['uuid', /(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])/g],
  ['hash', /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g],
  ['id', /(?<![0-9A-Za-z])[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Za-z])/g],
  ['agent', /(?<![\w-])ag_[\w-]{8}(?![\w-])/g],
  ['coordinate', /(?<![\w-])[\w-]{43}(?![\w-])/g],
]

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
const CREATED = /(\\?"created\\?":)(\d{10})(?!\d)/g

/** Members that are measured, or that differ from process to process. */
const MEASURED = new Set('ms pid uptime_seconds rss heap_used startedAtMs node seq signed'.split(' '))

/** Longer texts are recorded as their beginning, their length and their hash. */
const CHARS_MAX = 1500

/** Waits of minutes and more are rounded up to this: they run while the requests do. */
const LONG_WAIT_SECONDS = 600
const WAIT_STEP_SECONDS = 100

/** Gives names to values; the same value gets the same name for as long as one `name` is used. */
function makeNaming(kept: Kept): (text: string) => string {
  const known = [...kept].sort(([, one], [, other]) => other.length - one.length)
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  const nameOf = (kind: string, value: string): string => {
    const before = names.get(value)
    if (before !== undefined) return before
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    names.set(value, `${kind}-${count}`)
    return `${kind}-${count}`
  }
  return (text) => {
    let named = text
    for (const [name, value] of known) named = named.replaceAll(value, `<${name}>`)
    for (const [kind, shape] of SHAPES) named = named.replace(shape, (value) => nameOf(kind, value))
    named = named.replace(TIME, '<time>')
    named = named.replace(
      /(try again in )(\d{4,})/g,
      (_all, before: string, wait: string) => before + roundedUp(Number(wait)),
    )
    return named.replace(CREATED, (all, name: string, seconds: string) => (isNow(seconds) ? `${name}"<now>"` : all))
  }
}

const isNow = (seconds: string): boolean => Math.abs(Number(seconds) - Date.now() / 1000) < 3600

/** Goes through a JSON value. */
function withNames(value: unknown, naming: (text: string) => string, member = ''): unknown {
  if (MEASURED.has(member)) return `<${member}>`
  if (typeof value === 'string') return shortened(naming(value))
  if (typeof value === 'number') return member === 'created' && isNow(String(value)) ? '<now>' : value
  if (Array.isArray(value)) return value.map((item) => withNames(item, naming))
  if (typeof value !== 'object' || value === null) return value
  const isTimes = member === 'steps'
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [naming(name), isTimes ? '<µs>' : withNames(inner, naming, name)]),
  )
}

function shortened(text: string): string {
  if (text.length <= CHARS_MAX) return text
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return `${text.slice(0, 60)}… (${text.length} characters, ${hash})`
}

/** Gives the record of an answer, what the model server got for it, and the entries that it caused, oldest first. */
export function comparable(reply: Reply, sent: readonly Sent[], ledger: readonly LedgerEntry[], kept: Kept): Recorded {
  const naming = makeNaming(kept)
  return {
    status: reply.status,
    headers: reply.headers.map(([name, value]) => naming(headerLine(name.toLowerCase(), value, reply.text))).sort(),
    body: bodyOf(reply, naming),
    sent: sent.map((one) => withNames(one, naming)),
    ledger: ledger.map((entry) => withNames(entry, naming)),
  }
}

function headerLine(name: string, value: string, text: string): string {
  if (name === 'date') return 'date: <date>'
  if (name === 'content-length' && Number(value) === Buffer.byteLength(text)) return `${name}: as long as the body`
  const seconds = Number(value)
  if (/^(?:retry-after|x-ratelimit-reset)$/.test(name) && seconds > LONG_WAIT_SECONDS) {
    return `${name}: ${roundedUp(seconds)}`
  }
  if (name === 'x-ratelimit-reset-requests') return `${name}: ${longDuration(value)}`
  return `${name}: ${value}`
}

/** `7h59m59s` in seconds, rounded up where it is long. */
function longDuration(value: string): string {
  const [, hours = 0, minutes = 0, rest = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(\d+)s$/.exec(value) ?? []
  const seconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
  return seconds > LONG_WAIT_SECONDS ? `${roundedUp(seconds)}s` : value
}

const roundedUp = (seconds: number): number => Math.ceil(seconds / WAIT_STEP_SECONDS) * WAIT_STEP_SECONDS

/** JSON as JSON, metrics as their names, everything else by line. */
function bodyOf({ headers, text, isBroken }: Reply, naming: (text: string) => string): unknown {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  if (isBroken) return ['(broken off)', ...text.split('\n').map(naming)]
  if (text === '') return null
  if (type.startsWith('application/json')) return withNames(JSON.parse(text), naming)
  if (type.startsWith('text/plain')) return metricNames(text)
  return text.split('\n').map((line) => shortened(naming(line)))
}

/** Names with their labels and without their values; of what Node measures itself, of what runs and of histograms less: they differ by machine, or say the same again. */
function metricNames(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => {
    if (line.startsWith('# TYPE')) return line.slice('# TYPE '.length)
    if (/^tappass_(?:nodejs_|process_|build_info)|^#|_bucket\{|_sum\{/.test(line)) return ''
    return line.replace(/ [^ }]+$/, '').replace(/upstream="[^"]+"/, 'upstream="(address)"')
  })
  return [...new Set(lines)].filter(Boolean).sort()
}
