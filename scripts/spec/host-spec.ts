/**
 * The settings of a host (`host.yaml`): every key is optional, with its default here. Validation is pure; `artifact-measurement.ts` measures
 * the files that paths in it point to.
 */
import * as v from 'valibot'
import { LOG_LEVELS, RATE_CALLS_DEFAULT, RATE_WINDOW_SECONDS_DEFAULT, TRACE_TERMS } from '../../contract/gateway.ts'
import { parseRecipients } from '../../contract/recovery-key.ts'
import { INSTANCES_DEFAULT } from '../../contract/unit.ts'
import type { LocalFile, LocalImage, ProvidedSecret, ReleaseArchive } from '../artifacts/artifact.ts'
import type { SitePages } from '../artifacts/site-pages.ts'
import type { OfflineSource } from '../bundle/offline-source.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { firewallSchema } from '../firewall/firewall-spec.ts'
import type { Rotation } from '../secrets/secret-rotation.ts'
import { backupStoreSchema, storeContradictions } from '../storage/backup-store-spec.ts'
import { storageSchema } from '../storage/storage-spec.ts'
import { contradictions } from './contradiction.ts'
import { deployUserSchema } from './deploy-user.ts'
import { calendar, driftContradictions, driftSchema, housekeepingSchema } from './housekeeping-spec.ts'
import { identityContradictions, identitySchema } from './identity-spec.ts'
import { type ImagesSpec, imageContradictions, imagesSchema } from './image-spec.ts'
import { ingressContradictions, ingressSchema, type Tls } from './ingress-spec.ts'
import { opaSchema, policySchema } from './policy-spec.ts'
import { proxyFor, proxySchema } from './proxy.ts'
import { siteContradictions, siteSchema } from './site-spec.ts'
import { explainIssue, isOfWritten, placeOf } from './spec-issue.ts'
import type { LineFinder } from './yaml-text.ts'

function integer(minimum: number, maximum: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum))
}
const domainName = v.pipe(
  v.string(),
  v.regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i, 'must be a domain name'),
)
const address = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s'"\\]+$/, 'must be an http(s) URL'),
  // It is written to files that everybody on the host may read.
  v.check((text) => !hasUserInfo(text), 'must not hold a user or a password: a key goes in with --secret'),
)
const recipient = v.pipe(
  v.string(),
  v.check(
    (text) => parseRecipients(text) === text,
    'must be the public half of a recovery key, age1…, or two with a comma between them: tappass backup key create --out FILE',
  ),
)
const serviceName = v.pipe(v.string(), v.regex(/^[\w./-]{1,128}$/, 'must be letters, digits and _ . / -'))
/** A file on the controller, relative to the folder of the specification. */
const path = v.pipe(v.string(), v.minLength(1))
function section<T extends v.ObjectEntries>(entries: T) {
  return v.optional(v.strictObject(entries), {} as never)
}

const schema = v.strictObject({
  deployUser: deployUserSchema,
  /** Public domain name of the gateway. With it `tls` defaults to `public`. */
  domain: v.optional(domainName),
  /** `public`: a certificate from a public authority; `internal`: from Caddy's own authority on the host; `own`: the operator's. */
  tls: v.optional(v.picklist(['public', 'internal', 'own'])),
  /** Which public authority, and its profile: how long certificates live. */
  acme: section({
    directory: v.optional(address),
    profile: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be the name of a profile'))),
  }),
  ingress: ingressSchema,
  firewall: firewallSchema,
  identity: identitySchema,
  site: siteSchema,
  /** Number of gateway processes that share the socket. */
  instances: v.optional(integer(1, 32), INSTANCES_DEFAULT),
  /** For how long the instances of a new release are watched before it counts as accepted. */
  upgrade: section({ soakSeconds: v.optional(integer(0, 86_400), 60) }),
  gateway: section({
    upstream: v.optional(address),
    callsMax: v.optional(integer(1, 1_000_000_000), RATE_CALLS_DEFAULT),
    windowSeconds: v.optional(integer(1, 86_400), RATE_WINDOW_SECONDS_DEFAULT),
    logLevel: v.optional(v.picklist(LOG_LEVELS), 'info'),
  }),
  /** Where the gateway sends traces of calls, and which of them; `share` is of `traceidratio`. */
  traces: section({
    endpoint: v.optional(address),
    protocol: v.optional(v.picklist(TRACE_TERMS.protocols), 'http/protobuf'),
    serviceName: v.optional(serviceName, 'tappass'),
    sampler: v.optional(v.picklist(TRACE_TERMS.samplers), 'parentbased_always_on'),
    share: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1),
  }),
  docker: section({
    source: v.optional(v.picklist(['vendor', 'distribution']), 'vendor'),
    /** Whether settings of a Docker that is there already may be replaced. */
    adopt: v.optional(v.boolean(), false),
  }),
  /** How the host reaches others. */
  proxy: proxySchema,
  images: imagesSchema,
  /** Archives to unpack instead of downloading the vendor's. */
  node: section({ archive: v.optional(path) }),
  caddy: section({ archive: v.optional(path) }),
  cloudflared: section({ archive: v.optional(path) }),
  spire: section({ archive: v.optional(path) }),
  spiffeHelper: section({ archive: v.optional(path) }),
  /** What decides, and the program of an OPA server. */
  policy: policySchema,
  opa: opaSchema,
  /** Mirrors; defaults are the vendors' addresses in `versions.yaml`. */
  downloads: section({
    ...{ node: v.optional(address), caddy: v.optional(address), docker: v.optional(address) },
    ...{ cloudflared: v.optional(address), spire: v.optional(address), spiffeHelper: v.optional(address) },
    opa: v.optional(address),
  }),
  /** Whether PostgreSQL and Redis are ours, in containers, or somebody else's. */
  storage: storageSchema,
  postgres: section({
    /** Memory and buffers follow the host's memory unless they are written. */
    memoryMegabytes: v.optional(integer(128, 1_048_576)),
    sharedBuffersMegabytes: v.optional(integer(16, 1_048_576)),
    maxConnections: v.optional(integer(10, 10_000), 100),
  }),
  redis: section({ maxMemoryMegabytes: v.optional(integer(8, 1_048_576)) }),
  backup: section({
    schedule: v.optional(calendar, '*-*-* 03:17:00 UTC'),
    keepDaily: v.optional(integer(1, 3650), 7),
    keepWeekly: v.optional(integer(0, 520), 4),
    /** For how many days any moment can be gone back to; 0: the log is not archived. */
    pointInTimeDays: v.optional(integer(0, 31), 2),
    /** The public half of the key that secrets in backups are sealed to; two while one takes the place of the other. */
    recoveryKey: v.optional(recipient),
    /** Where copies go. */
    store: backupStoreSchema,
  }),
  housekeeping: housekeepingSchema,
  drift: driftSchema,
  preflight: section({
    diskFreeMegabytesMin: v.optional(integer(0, 1_000_000_000), 8192),
    memoryMegabytesMin: v.optional(integer(0, 1_000_000_000), 1800),
    clockSkewSecondsMax: v.optional(integer(1, 86_400), 60),
  }),
})

/**
 * The parsed specification with defaults; archives are still paths, and `tls` and `upstreamProxy` are decided. `written`: what was written, as it was, without
 * any default.
 */
export type ParsedSpec = Readonly<
  Omit<v.InferOutput<typeof schema>, 'tls'> & {
    tls: Tls
    /** The proxy on the way to the model server. */
    upstreamProxy: string | undefined
    written: Readonly<Record<string, unknown>>
  }
>

/** For how long the instances are watched before the release counts as accepted, and whether migrations that waited for that are run. */
export type ReleaseChange = Readonly<{ soakSeconds: number; isFinishing: boolean }>

/** What becomes of the data where the database is another one than before: they are taken along, or what is there is used. */
export const DATA_CHOICES = ['move', 'leave'] as const

/**
 * The specification for the roles: the parsed one with the measured files of the controller, the release to install, the secrets of
 * `--secret ID=FILE` by id, those to rotate, the release to bring into force and what becomes of the data when the command line asks for it, and the bundle in place of the network.
 */
export type HostSpec = Readonly<
  Omit<ParsedSpec, 'images' | 'node' | 'caddy' | 'cloudflared' | 'opa' | 'spire' | 'spiffeHelper' | 'site'> & {
    images: Readonly<Record<keyof ImagesSpec, Readonly<{ archive?: LocalImage; reference?: string }>>>
    node: Readonly<{ archive?: LocalFile }>
    caddy: Readonly<{ archive?: LocalFile }>
    cloudflared: Readonly<{ archive?: LocalFile }>
    opa: Readonly<{ program?: LocalFile | undefined; sha256?: string | undefined }>
    spire: Readonly<{ archive?: LocalFile }>
    spiffeHelper: Readonly<{ archive?: LocalFile }>
    /** `none` also where there is no ingress to serve it. */
    site: 'none' | Readonly<{ pages: SitePages; wheels?: LocalFile | undefined }>
    release: ReleaseArchive
    secrets: Readonly<Record<string, ProvidedSecret>>
    bundle?: OfflineSource | undefined
    rotation?: Rotation | undefined
    releaseChange?: ReleaseChange | undefined
    data?: (typeof DATA_CHOICES)[number] | undefined
  }
>

function hasUserInfo(text: string): boolean {
  return /^https?:\/\/[^/?#]*@/.test(text)
}

/** Where the gateway sends calls to unless a setting says otherwise. */
export const OPENAI_ADDRESS = 'https://api.openai.com/v1'

const EXAMPLE = 'settings such as "domain: gateway.example.com"'

/** Returns what is wrong with a part of the settings, whatever the rest of them says. */
export function settingsProblems(part: unknown, lineOf: LineFinder): readonly string[] {
  const { issues = [] } = v.safeParse(schema, part)
  return issues.filter(isOfWritten).map((issue) => explainIssue(schema, issue, lineOf, EXAMPLE))
}

/**
 * Validates plain values (parsed YAML with options on top). `where` is their source and `lineOf` finds lines in it. Throws a usage failure
 * that lists every problem.
 */
export function parseHostSpec(parsed: unknown, where: string, lineOf: LineFinder = () => undefined): ParsedSpec {
  // valibot accepts a list as an object with numbers as keys.
  const result = v.safeParse(schema, Array.isArray(parsed) ? undefined : (parsed ?? {}))
  const problems = result.success
    ? [
        ...contradictions(result.output),
        ...ingressContradictions(result.output),
        ...identityContradictions(result.output.identity),
        ...imageContradictions(result.output.images),
        ...siteContradictions(result.output),
        ...driftContradictions(result.output.drift),
        ...storeContradictions(result.output),
      ].map(([keys, what]) => placeOf(keys, lineOf) + what)
    : result.issues.map((issue) => explainIssue(schema, issue, lineOf, EXAMPLE))
  if (!result.success || problems.length > 0) {
    const found = Array.isArray(parsed) ? ', found a list' : ''
    const why = problems.join('\n         ') + found
    const next = `fix ${where}; docs/reference/host.md lists the settings`
    throw new Failure({ what: `${where} is not a valid host specification`, why, next }, 64)
  }
  const { tls, ...rest } = result.output
  const effectiveTls = tls ?? (rest.domain === undefined ? 'internal' : 'public')
  if (effectiveTls === 'public' && rest.domain === undefined)
    throw usageFailure(`${where}: tls: public needs a domain`, 'tappass bootstrap --domain NAME')
  if (effectiveTls === 'own' && rest.domain === undefined)
    throw usageFailure(`${where}: tls: own needs the domain of the certificate`, 'tappass bootstrap --domain NAME')
  if (effectiveTls !== 'public' && Object.keys(rest.acme).length > 0)
    throw usageFailure(`${where}: acme needs tls: public`, 'tappass bootstrap --domain NAME')
  const upstreamProxy = proxyFor(rest.proxy, rest.gateway.upstream ?? OPENAI_ADDRESS)
  return { ...rest, tls: effectiveTls, upstreamProxy, written: (parsed ?? {}) as ParsedSpec['written'] }
}

/** Options that set a key of the specification, each with an example. */
const OPTION_SCHEMAS = {
  domain: { schema: domainName, example: 'gateway.example.com' },
  upstream: { schema: address, example: 'https://models.example.com/v1' },
} as const

/** Validates the value of an option before it overrides the specification. Throws a usage failure that names the option. */
export function validateHostOption(verb: string, option: keyof typeof OPTION_SCHEMAS, value: string): void {
  const { schema: shape, example } = OPTION_SCHEMAS[option]
  const result = v.safeParse(shape, value)
  if (result.success) return
  throw usageFailure(
    `"--${option}" ${result.issues[0].message}, not "${value}"`,
    `tappass ${verb} --${option} ${example}`,
  )
}
