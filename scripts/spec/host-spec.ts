/**
 * What an operator may say about a host (`host.yaml`): every key optional, with its default here.
 * Checking is pure; `controller-file.ts` measures the files that the written paths point to.
 */
import * as v from 'valibot'
import { parse } from 'yaml'
import type { LocalFile, LocalImage, ProvidedSecret, ReleasePack } from '../artifacts/artifact.ts'
import { nearest } from '../command-line/suggestion.ts'
import { Failure, usageFailure } from '../core/failure.ts'

/** Where the role `record` writes them down. */
export const SETTINGS_PATH = '/etc/tappass/tappass.yaml'

function wholeNumber(least: number, most: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))
}
const accountName = v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'must be a Linux account name'))
const domainName = v.pipe(
  v.string(),
  v.regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i, 'must be a domain name'),
)
const address = v.pipe(v.string(), v.regex(/^https?:\/\/[^\s'"\\]+$/, 'must be an http(s) address'))
const calendar = v.pipe(v.string(), v.regex(/^[\w*:,./~ -]+$/, 'must be a systemd calendar expression'))
/** A file on the controller, relative to the spec's own folder. */
const path = v.pipe(v.string(), v.minLength(1))
function section<T extends v.ObjectEntries>(entries: T) {
  return v.optional(v.strictObject(entries), {} as never)
}

const schema = v.strictObject({
  /** The account that operators deploy with. */
  deployUser: v.optional(accountName, 'gebruiker'),
  /** Public name of the gateway. With it TLS is public unless `tls` says otherwise. */
  domain: v.optional(domainName),
  /** `public`: a certificate from a public authority; `internal`: from Caddy's own authority on the host. */
  tls: v.optional(v.picklist(['public', 'internal'])),
  /** How many gateway processes share the socket. */
  instances: v.optional(wholeNumber(1, 32), 2),
  gateway: section({
    upstream: v.optional(address),
    callsMax: v.optional(wholeNumber(1, 1_000_000_000), 600),
    windowSeconds: v.optional(wholeNumber(1, 86_400), 60),
    logLevel: v.optional(v.picklist(['trace', 'debug', 'info', 'warn', 'error', 'fatal']), 'info'),
  }),
  docker: section({ source: v.optional(v.picklist(['vendor', 'distribution']), 'vendor') }),
  /** Files made by `docker save`, to load instead of pulling. */
  images: section({
    postgres: section({ archive: v.optional(path) }),
    redis: section({ archive: v.optional(path) }),
  }),
  /** Archives to unpack instead of downloading the vendor's. */
  node: section({ archive: v.optional(path) }),
  caddy: section({ archive: v.optional(path) }),
  /** Mirrors; unset, the vendors' addresses in `versions.yaml`. */
  downloads: section({ node: v.optional(address), caddy: v.optional(address), docker: v.optional(address) }),
  postgres: section({
    memoryMegabytes: v.optional(wholeNumber(128, 1_048_576), 1024),
    sharedBuffersMegabytes: v.optional(wholeNumber(16, 1_048_576), 256),
    maxConnections: v.optional(wholeNumber(10, 10_000), 100),
  }),
  redis: section({ maxMemoryMegabytes: v.optional(wholeNumber(8, 1_048_576), 64) }),
  backup: section({
    schedule: v.optional(calendar, '*-*-* 03:17:00 UTC'),
    keepDaily: v.optional(wholeNumber(1, 3650), 7),
    keepWeekly: v.optional(wholeNumber(0, 520), 4),
  }),
  preflight: section({
    diskFreeMegabytesMin: v.optional(wholeNumber(0, 1_000_000_000), 8192),
    memoryMegabytesMin: v.optional(wholeNumber(0, 1_000_000_000), 1800),
    clockSkewSecondsMax: v.optional(wholeNumber(1, 86_400), 60),
  }),
})

/** The spec as written, with defaults filled in; archives are still paths. `tls` is always decided. */
export type WrittenSpec = Readonly<Omit<v.InferOutput<typeof schema>, 'tls'> & { tls: 'public' | 'internal' }>

/**
 * What roles get: the written spec, with the controller's files measured, the release to lay down, and the
 * secrets of `--secret ID=FILE` by id.
 */
export type HostSpec = Readonly<
  Omit<WrittenSpec, 'images' | 'node' | 'caddy'> & {
    images: Readonly<{ postgres: Readonly<{ archive?: LocalImage }>; redis: Readonly<{ archive?: LocalImage }> }>
    node: Readonly<{ archive?: LocalFile }>
    caddy: Readonly<{ archive?: LocalFile }>
    release: ReleasePack
    secrets: Readonly<Record<string, ProvidedSecret>>
  }
>

function addressOf(issue: v.BaseIssue<unknown>): string {
  return (issue.path ?? []).map((item) => String(item.key)).join('.') || 'the file'
}

type Shape = Readonly<{ wrapped?: Shape; entries?: Readonly<Record<string, unknown>> }>

/** The keys that the schema knows below an address such as `gateway`. */
function keysAt(address: readonly unknown[]): readonly string[] {
  const inside = (shape: Shape | undefined) => (shape?.wrapped ?? shape)?.entries ?? {}
  const shape = address.reduce<Shape | undefined>((at, key) => inside(at)[String(key)] as Shape | undefined, schema)
  return Object.keys(inside(shape))
}

function explain(issue: v.BaseIssue<unknown>): string {
  const where = addressOf(issue)
  if (issue.type !== 'strict_object' || issue.expected !== 'never') {
    const what = issue.type === 'regex' ? issue.message : `expected ${issue.expected}, found ${issue.received}`
    return `${where}: ${what}`
  }
  const keys = (issue.path ?? []).map((item) => item.key)
  const guess = nearest(String(keys.at(-1)), keysAt(keys.slice(0, -1)))
  return `${where}: there is no such key${guess === undefined ? '' : `; did you mean "${guess}"?`}`
}

/** Takes plain values (parsed YAML, and what options said). `where` names their source. Throws a usage failure that lists every fault. */
export function checkHostSpec(written: unknown, where: string): WrittenSpec {
  // To valibot a list is an object with numbers for keys.
  const result = v.safeParse(schema, Array.isArray(written) ? undefined : (written ?? {}))
  if (!result.success) {
    const what = `${where} is not a host specification`
    throw new Failure(
      { what, why: result.issues.map(explain).join('\n         '), next: 'see docs/reference/host.md' },
      64,
    )
  }
  const { tls, ...rest } = result.output
  const decided = tls ?? (rest.domain === undefined ? 'internal' : 'public')
  if (decided === 'public' && rest.domain === undefined)
    throw usageFailure(`${where}: tls: public needs a domain`, 'tappass bootstrap --domain NAME')
  return { ...rest, tls: decided }
}

/** What options say of a key of the specification, each with an example. */
const OPTION_SCHEMAS = {
  domain: { schema: domainName, example: 'gateway.example.com' },
  upstream: { schema: address, example: 'https://models.example.com/v1' },
} as const

/** Checks what was typed for an option before it is put on top of a specification. Throws a usage failure that names the option. */
export function checkHostOption(verb: string, option: keyof typeof OPTION_SCHEMAS, value: string): void {
  const { schema: shape, example } = OPTION_SCHEMAS[option]
  const result = v.safeParse(shape, value)
  if (result.success) return
  throw usageFailure(
    `"--${option}" ${result.issues[0].message}, not "${value}"`,
    `tappass ${verb} --${option} ${example}`,
  )
}

/** Reads YAML text. Throws a usage failure (exit 64) when it is not YAML. */
export function parseYaml(text: string, where: string): unknown {
  try {
    return parse(text, { strict: true, uniqueKeys: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure({ what: `${where} is not YAML`, why, next: `mend ${where}` }, 64, error)
  }
}
