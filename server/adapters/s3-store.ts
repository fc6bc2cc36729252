/**
 * Copies of backups in a bucket that speaks S3. Each object is one request, signed with SigV4 and with its SHA-256, so that a store that gets
 * something else refuses it; a name that is taken stays as it is (`If-None-Match: *`).
 */
import { createHash } from 'node:crypto'
import { AwsClient } from 'aws4fetch'
import { type S3Store, type StoreSecrets, storeLabel } from '../../contract/backup-store.ts'
import { type BackupStore, type StoredObject, StoreFailure } from '../copies/store.ts'

/** A part of 8 MiB in that time is 112 kbit/s. */
const REQUEST_MS = 600_000

const FAILURE_KINDS: readonly (readonly [pattern: RegExp, kind: StoreFailure['kind'], what: string])[] = [
  [/RequestTimeTooSkewed/, 'refused', 'refuses this host’s clock'],
  [/SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|Forbidden|^40[13]$/, 'refused', 'refuses the credentials'],
  [/NoSuchBucket/, 'failed', 'has no such bucket'],
  [/Quota|StorageFull|InsufficientStorage|DiskFull|^507$/i, 'full', 'is full'],
  [/^5\d\d$|SlowDown|ServiceUnavailable/, 'away', 'can’t answer now'],
]

/** XML's own five; a key of ours holds none of them, a message may. */
function plainXml(text: string): string {
  const letters: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => letters[name] ?? '')
}

/** The text of the first element of that name. */
function element(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return found === undefined ? undefined : plainXml(found)
}

function elements(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(([, inner = '']) => inner)
}

function failureOf(label: string, status: number, body: string): StoreFailure {
  const code = element(body, 'Code') ?? String(status)
  const [, kind, what] = FAILURE_KINDS.find(([pattern]) => pattern.test(code)) ??
    FAILURE_KINDS.find(([pattern]) => pattern.test(String(status))) ?? [/./, 'failed' as const, 'did not do it']
  return new StoreFailure(
    kind,
    `the store ${label} ${what} (${status} ${code}: ${element(body, 'Message') ?? 'no message'})`,
  )
}

type Answer = Readonly<{ status: number; body: Uint8Array }>

/** What every request needs. `path` begins at the bucket. */
type Bucket = Readonly<{
  label: string
  prefix: string
  ask: (method: string, path: string, init?: RequestInit) => Promise<Answer>
}>

function textOf({ body }: Answer): string {
  return Buffer.from(body).toString()
}

function expectDone({ label }: Bucket, answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer
  throw failureOf(label, answer.status, textOf(answer))
}

function pathOf({ prefix }: Bucket, name: string): string {
  return `/${prefix}${name}`.split('/').map(encodeURIComponent).join('/')
}

async function add(bucket: Bucket, name: string, bytes: Uint8Array): Promise<'added' | 'taken'> {
  const sha256 = createHash('sha256').update(bytes).digest()
  const headers = {
    'if-none-match': '*',
    'content-type': 'application/octet-stream',
    'x-amz-content-sha256': sha256.toString('hex'),
    'x-amz-checksum-sha256': sha256.toString('base64'),
  }
  const answer = await bucket.ask('PUT', pathOf(bucket, name), { headers, body: bytes as Uint8Array<ArrayBuffer> })
  if (answer.status === 412) return 'taken'
  expectDone(bucket, answer)
  return 'added'
}

async function read(bucket: Bucket, name: string, version = ''): Promise<Uint8Array | undefined> {
  const query = version === '' ? '' : `?versionId=${encodeURIComponent(version)}`
  const answer = await bucket.ask('GET', `${pathOf(bucket, name)}${query}`)
  const isAbsent = answer.status === 404 && !textOf(answer).includes('NoSuchBucket')
  return isAbsent ? undefined : expectDone(bucket, answer).body
}

async function* readEarlier(bucket: Bucket, name: string): AsyncGenerator<Uint8Array> {
  const key = `${bucket.prefix}${name}`
  const answer = expectDone(bucket, await bucket.ask('GET', `?versions&${new URLSearchParams({ prefix: key })}`))
  for (const version of elements(textOf(answer), 'Version')) {
    if (element(version, 'Key') !== key) continue
    const bytes = await read(bucket, name, element(version, 'VersionId'))
    if (bytes !== undefined) yield bytes
  }
}

async function list(bucket: Bucket, beginning: string): Promise<readonly StoredObject[]> {
  const { prefix } = bucket
  const found: StoredObject[] = []
  for (let token: string | undefined = ''; token !== undefined; ) {
    const query = new URLSearchParams({ 'list-type': '2', prefix: `${prefix}${beginning}` })
    if (token !== '') query.set('continuation-token', token)
    const xml = textOf(expectDone(bucket, await bucket.ask('GET', `?${query}`)))
    for (const entry of elements(xml, 'Contents')) {
      const name = element(entry, 'Key')?.slice(prefix.length) ?? ''
      const modifiedMs = Date.parse(element(entry, 'LastModified') ?? '')
      found.push({ name, bytes: Number(element(entry, 'Size')), modifiedMs })
    }
    token = element(xml, 'IsTruncated') === 'true' ? element(xml, 'NextContinuationToken') : undefined
  }
  return found
}

/** Opens a bucket; nothing is asked of it yet. */
export function openS3Store(settings: S3Store, secrets: StoreSecrets, requestMs = REQUEST_MS): BackupStore {
  const label = storeLabel(settings)
  const client = new AwsClient({
    accessKeyId: secrets['backup-store-key-id'] ?? '',
    secretAccessKey: secrets['backup-store-secret'] ?? '',
    ...{ service: 's3', region: settings.region, retries: 0 },
  })
  const base = `${settings.endpoint.replace(/\/$/, '')}/${settings.bucket}`
  const ask: Bucket['ask'] = async (method, path, init = {}) => {
    try {
      const signal = AbortSignal.timeout(requestMs)
      const response = await client.fetch(`${base}${path}`, { method, redirect: 'error', signal, ...init })
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) }
    } catch (error) {
      const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } }
      const isLate = name === 'TimeoutError'
      const reason = isLate ? `no answer within ${requestMs / 1000} s` : (cause?.code ?? cause?.message ?? message)
      throw new StoreFailure('away', `the store ${label} is not reached (${reason})`, error)
    }
  }
  const bucket: Bucket = { label, prefix: settings.prefix, ask }
  return {
    add: (name, bytes) => add(bucket, name, bytes),
    read: (name) => read(bucket, name),
    readEarlier: (name) => readEarlier(bucket, name),
    list: (beginning) => list(bucket, beginning),
    close: async () => undefined,
  }
}
