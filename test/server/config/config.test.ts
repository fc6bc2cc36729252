/** Settings and secrets: defaults, every problem in one error, and that no secret is in it. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { credentialId, SECRET_NAMES, type SecretName } from '../../../contract/secret.ts'
import { type Config, ConfigError, type Environment, readConfig, SETTING_NAMES } from '../../../server/config/config.ts'
import { valuesOf } from '../../../server/config/secret.ts'
import { createSigningKey } from '../ledger/signing-fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-config-'))
after(() => rmSync(folder, { recursive: true }))

const PID = 4711
const read = (environment: Environment): Config => readConfig('gateway', environment, PID)
const pem = (namedCurve: string): string =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** A production gateway's environment, with its secrets in the environment itself. */
const production: Environment = {
  TAPPASS_ENV: 'production',
  DATABASE_URL: 'postgresql://tappass@/tappass?host=/run/tappass/postgres',
  TAPPASS_ADMIN_API_KEY: `tp_${'a'.repeat(43)}`,
  TAPPASS_JWT_SECRET: 'j'.repeat(48),
  TAPPASS_VAULT_KEY: Buffer.alloc(32, 1).toString('base64'),
  TAPPASS_TOKEN_KEY: pem('prime256v1'),
  TAPPASS_CHECKPOINT_KEY: createSigningKey().privatePem,
  POSTGRES_PASSWORD: 'p'.repeat(20),
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    read(environment)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
}

test('nothing set is a gateway for a first look', () => {
  const { environment, listen, storage, database, redisUrl, upstream, limits, notify } = read({})
  assert.deepEqual(
    { environment, listen, storage, kind: database.kind, redisUrl, upstream, limits, notify },
    {
      environment: 'development',
      listen: { kind: 'address', host: '127.0.0.1', port: 9620 },
      storage: 'memory',
      kind: 'pglite',
      redisUrl: undefined,
      upstream: undefined,
      limits: { callsMax: 60_000, windowMs: 60_000, bodyBytesMax: 5_242_880 },
      notify: undefined,
    },
  )
})

test('production with all it needs', () => {
  const config = read(production)
  assert.equal(config.storage, 'local')
  assert.equal(config.database.kind === 'postgres' && config.database.password, production['POSTGRES_PASSWORD'])
  assert.equal(config.secrets.TAPPASS_JWT_SECRET, production['TAPPASS_JWT_SECRET'])
})

test('everything that is missing or wrong is named in one error, and no secret is in it', () => {
  const problems = problemsOf({
    TAPPASS_ENV: 'production',
    TAPPASS_PORT: 'http',
    TAPPASS_LOG_LEVEL: 'loud',
    DATABASE_URL: 'postgresql://tappass@/tappass?host=/run/tappass/postgres',
    TAPPASS_JWT_SECRET: 'too-short-hush',
    TAPPASS_VAULT_KEY: 'not 32 bytes hush',
    TAPPASS_TOKEN_KEY: 'no pem hush',
    TAPPASS_CHECKPOINT_KEY: pem('prime256v1'),
  })
  const named = [
    'TAPPASS_PORT',
    'TAPPASS_LOG_LEVEL',
    'TAPPASS_ADMIN_API_KEY',
    'TAPPASS_JWT_SECRET',
    'TAPPASS_VAULT_KEY',
    'TAPPASS_TOKEN_KEY',
    'TAPPASS_CHECKPOINT_KEY',
    'POSTGRES_PASSWORD',
  ]
  for (const name of named) assert.equal(problems.filter((problem) => problem.startsWith(name)).length, 1, name)
  assert.equal(problems.length, named.length, problems.join('\n'))
  assert.ok(!problems.join('\n').includes('hush'))
})

const PROBLEMS: readonly (readonly [what: string, environment: Environment, names: RegExp])[] = [
  [
    'an instance with a slash',
    { TAPPASS_INSTANCE: 'a/b' },
    /^TAPPASS_INSTANCE has more than letters, digits, dots, dashes/,
  ],
  ['a port too high', { TAPPASS_PORT: '70000' }, /^TAPPASS_PORT is more than 65535/],
  [
    'a web address of Supabase',
    { SUPABASE_URL: 'https://abc.supabase.co' },
    /^SUPABASE_URL is the address of the web API; paste the connection string/,
  ],
  ['Supabase without a string', { TAPPASS_STORAGE: 'supabase' }, /^SUPABASE_URL is missing/],
  ['two databases', { DATABASE_URL: 'postgresql://a@b/c', SUPABASE_URL: 'postgresql://a@b/c' }, /both set/],
  [
    'memory beside a database',
    { TAPPASS_STORAGE: 'memory', DATABASE_URL: 'postgresql://a@b/c' },
    /^TAPPASS_STORAGE is memory/,
  ],
  ['local without a place', { TAPPASS_STORAGE: 'local' }, /^TAPPASS_DATA_DIR is missing/],
  ['a database that is none', { DATABASE_URL: 'mysql://a@b/c' }, /^DATABASE_URL/],
  ['an owner without gateways', { DATABASE_OWNER_URL: 'postgresql://a@b/c' }, /^DATABASE_OWNER_URL is set without/],
  [
    'an owner that is the gateways’ role',
    { DATABASE_URL: 'postgresql://a@b/c', DATABASE_OWNER_URL: 'postgresql://a@b/c' },
    /^DATABASE_OWNER_URL has the user of DATABASE_URL/,
  ],
  ['production in memory', { ...production, DATABASE_URL: '', POSTGRES_PASSWORD: '' }, /forgets its ledger/],
  ['an OPA without an address', { TAPPASS_POLICY_ENGINE: 'opa' }, /^OPA_URL is missing/],
  [
    'an OPA that is not asked',
    { TAPPASS_POLICY_ENGINE: 'embedded', OPA_URL: 'unix:///run/opa.sock' },
    /^OPA_URL is set, but/,
  ],
  ['an OPA in the clear, elsewhere', { OPA_URL: 'http://opa.example.com:8181' }, /^OPA_URL is http:/],
  ['an address that OPA has not', { OPA_URL: 'ftp://opa' }, /^OPA_URL/],
  ['an engine that nobody knows', { TAPPASS_POLICY_ENGINE: 'cedar' }, /^TAPPASS_POLICY_ENGINE/],
  ['a Redis that is none', { REDIS_URL: 'http://x' }, /^REDIS_URL/],
  ['a model server that is none', { TAPPASS_UPSTREAM_URL: 'ftp://x' }, /^TAPPASS_UPSTREAM_URL/],
  ['a curve that is not P-256', { ...production, TAPPASS_TOKEN_KEY: pem('secp384r1') }, /^TAPPASS_TOKEN_KEY/],
  ['an admin key of another form', { TAPPASS_ADMIN_API_KEY: 'admin' }, /^TAPPASS_ADMIN_API_KEY/],
  ['a file that is not there', { OPENAI_API_KEY_FILE: '/nowhere/key' }, /^OPENAI_API_KEY is not there: \/nowhere\/key/],
  ['a key with a line break in it', { OPENAI_API_KEY: 'a\nb' }, /^OPENAI_API_KEY/],
]

for (const [what, environment, names] of PROBLEMS) {
  test(`refused: ${what}`, () => {
    const problems = problemsOf(environment)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', names)
  })
}

test('a secret is taken from the credential, then the file, then the environment', () => {
  const name: SecretName = 'OPENAI_API_KEY'
  const file = join(folder, 'key-file')
  const environment = { OPENAI_API_KEY: 'from-environment', OPENAI_API_KEY_FILE: file, CREDENTIALS_DIRECTORY: folder }
  writeFileSync(join(folder, credentialId(name)), 'from-credential\n')
  writeFileSync(file, 'from-file\r\n')
  assert.equal(read(environment).secrets[name], 'from-credential')
  rmSync(join(folder, credentialId(name)))
  assert.equal(read(environment).secrets[name], 'from-file')
  assert.equal(
    read({ OPENAI_API_KEY: 'from-environment', CREDENTIALS_DIRECTORY: folder }).secrets[name],
    'from-environment',
  )
})

test('the next value of a secret is read beside it, and has to have its form', () => {
  const next = { TAPPASS_ADMIN_API_KEY: `tp_${'b'.repeat(43)}`, POSTGRES_PASSWORD: 'next' }
  for (const [id, value] of [
    ['tappass-admin-api-key-next', next.TAPPASS_ADMIN_API_KEY],
    ['postgres-password-next', next.POSTGRES_PASSWORD],
    ['postgres-owner-password-next', ''],
  ] as const)
    writeFileSync(join(folder, id), `${value}\n`)
  const config = read({ ...production, CREDENTIALS_DIRECTORY: folder })
  for (const id of ['tappass-admin-api-key-next', 'postgres-password-next', 'postgres-owner-password-next'])
    rmSync(join(folder, id))
  assert.deepEqual(config.nextSecrets, next)
  assert.deepEqual(valuesOf(config, 'TAPPASS_ADMIN_API_KEY'), [
    production.TAPPASS_ADMIN_API_KEY,
    next.TAPPASS_ADMIN_API_KEY,
  ])
  assert.equal(config.database.kind === 'postgres' && config.database.nextPassword, next.POSTGRES_PASSWORD)
  assert.match(problemsOf({ TAPPASS_TOKEN_KEY_NEXT: 'x' })[0] ?? '', /^TAPPASS_TOKEN_KEY_NEXT is not a P-256/)
})

test('an empty credential is one that the unit may do without; an empty file is a problem', () => {
  writeFileSync(join(folder, 'supabase-key'), '\n')
  assert.equal(read({ CREDENTIALS_DIRECTORY: folder }).secrets.SUPABASE_KEY, undefined)
  const path = join(folder, 'supabase-key')
  assert.match(problemsOf({ SUPABASE_KEY_FILE: path })[0] ?? '', /^SUPABASE_KEY is empty/)
  rmSync(path)
})

test('a token key is read from the file that openssl writes', () => {
  const path = join(folder, 'token.pem')
  writeFileSync(path, pem('prime256v1'))
  chmodSync(path, 0o600)
  assert.ok(
    read({ ...production, TAPPASS_TOKEN_KEY: undefined, TAPPASS_TOKEN_KEY_FILE: path }).secrets.TAPPASS_TOKEN_KEY,
  )
})

const UPSTREAMS: readonly (readonly [environment: Environment, url: string | undefined])[] = [
  [{ TAPPASS_UPSTREAM_URL: 'http://models:8000/v1/' }, 'http://models:8000/v1'],
  [{ OPENAI_API_KEY: 'key' }, 'https://api.openai.com/v1'],
  [{ OPENAI_API_KEY: 'key', TAPPASS_UPSTREAM_URL: 'https://proxy/v1' }, 'https://proxy/v1'],
  [{}, undefined],
]

for (const [environment, url] of UPSTREAMS) {
  test(`model server of ${JSON.stringify(environment)}`, () => assert.equal(read(environment).upstream?.url, url))
}

const key = 'hush-hush'
const EXPOSED: readonly (readonly [environment: Environment, isExposed: boolean])[] = [
  [{ OPENAI_API_KEY: key, TAPPASS_UPSTREAM_URL: 'http://models.example.com/v1' }, true],
  [{ OPENAI_API_KEY: key, TAPPASS_UPSTREAM_URL: 'http://8.8.8.8:8000/v1' }, true],
  [{ OPENAI_API_KEY: key, TAPPASS_UPSTREAM_URL: 'https://models.example.com/v1' }, false],
  [{ OPENAI_API_KEY: key, TAPPASS_UPSTREAM_URL: 'http://10.0.0.7/v1' }, false],
  [{ OPENAI_API_KEY: key, TAPPASS_UPSTREAM_URL: 'http://models:8000/v1' }, false],
  [{ TAPPASS_UPSTREAM_URL: 'http://models.example.com/v1' }, false],
  [{ OPENAI_API_KEY: key }, false],
]

for (const [environment, isExposed] of EXPOSED) {
  test(`${isExposed ? 'a' : 'no'} warning: ${JSON.stringify(environment)}`, () => {
    const { warnings } = read(environment)
    assert.equal(warnings.length, Number(isExposed))
    if (isExposed) assert.match(warnings[0] ?? '', /^OPENAI_API_KEY and the prompts travel unencrypted to /)
    assert.ok(!warnings.join().includes(key))
  })
}

const descriptor = { kind: 'descriptor', fd: 3 }
test("systemd's socket is taken when it is for this process", () => {
  assert.deepEqual(read({ LISTEN_FDS: '1', LISTEN_PID: String(PID) }).listen, descriptor)
  assert.notDeepEqual(read({ LISTEN_FDS: '1', LISTEN_PID: '1' }).listen, descriptor)
  assert.notDeepEqual(read({ LISTEN_FDS: '0', LISTEN_PID: String(PID) }).listen, descriptor)
})

test("systemd's watchdog is patted when it is for this process", () => {
  const socket = '/run/systemd/notify'
  assert.deepEqual(read({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(PID) }).notify, {
    socket,
    watchdogMs: 30_000,
  })
  assert.deepEqual(read({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }).notify, {
    socket,
    watchdogMs: undefined,
  })
})

test('a process that only touches the database needs no secret of the gateway', () => {
  const { DATABASE_URL, POSTGRES_PASSWORD } = production
  readConfig('database', { TAPPASS_ENV: 'production', DATABASE_URL, POSTGRES_PASSWORD }, PID)
  assert.throws(
    () => readConfig('database', { TAPPASS_ENV: 'production', DATABASE_URL }, PID),
    /POSTGRES_PASSWORD is missing/,
  )
})

test('migrations are the owner’s where there is one, and nobody else needs its password', () => {
  const { DATABASE_URL, POSTGRES_PASSWORD } = production
  const DATABASE_OWNER_URL = 'postgresql://owner@/tappass?host=/run/tappass/postgres'
  const POSTGRES_OWNER_PASSWORD = 'o'.repeat(20)
  const environment = { TAPPASS_ENV: 'production', DATABASE_URL, DATABASE_OWNER_URL }
  const { database } = readConfig('migration', { ...environment, POSTGRES_OWNER_PASSWORD }, PID)
  assert.ok(database.kind === 'postgres')
  const { address, password, hasOwner, runtimeRole } = database
  assert.deepEqual([address.user, password, hasOwner, runtimeRole], ['owner', POSTGRES_OWNER_PASSWORD, true, 'tappass'])
  assert.throws(() => readConfig('migration', { ...environment, POSTGRES_PASSWORD }, PID), /POSTGRES_OWNER_PASSWORD is/)
  const other = read({ ...production, DATABASE_OWNER_URL }).database
  assert.ok(other.kind === 'postgres')
  assert.deepEqual([other.address.user, other.hasOwner, other.runtimeRole], ['tappass', true, undefined])
})

test('addresses come as credentials, which take precedence, and the passwords in them are used', () => {
  const credentials = mkdtempSync(join(folder, 'addresses-'))
  const write = (id: string, text: string) => writeFileSync(join(credentials, id), `${text}\n`)
  write('database-url', `postgresql://serving:${'s'.repeat(8)}@db.example/d`)
  write('database-owner-url', `postgresql://owning:${'o'.repeat(8)}@db.example/d`)
  write('database-ca', 'the authority')
  write('redis-url', `rediss://:${'r'.repeat(8)}@redis.example`)
  const { POSTGRES_PASSWORD: _, ...others } = production
  const { database, redisUrl } = read({ ...others, CREDENTIALS_DIRECTORY: credentials })
  assert.ok(database.kind === 'postgres')
  const { address, authority, password } = database
  assert.deepEqual(
    [address.user, address.password, authority, password],
    ['serving', 's'.repeat(8), 'the authority', undefined],
  )
  assert.match(redisUrl ?? '', /^rediss:.*redis\.example$/)
  const migration = readConfig('migration', { TAPPASS_ENV: 'production', CREDENTIALS_DIRECTORY: credentials }, PID)
  assert.ok(migration.database.kind === 'postgres')
  assert.deepEqual([migration.database.address.user, migration.database.runtimeRole], ['owning', 'serving'])
  write('database-url', 'not an address')
  assert.deepEqual(
    problemsOf({ ...others, CREDENTIALS_DIRECTORY: credentials }).map((problem) => problem.split(':')[0]),
    ['DATABASE_URL'],
  )
})

test('every setting and every secret is on the page of settings, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/settings.md'), 'utf8')
  const rows = page.match(/^\| `[^|]*\|/gm) ?? []
  const documented = rows.flatMap((row) => [...row.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name))
  assert.deepEqual(documented.toSorted(), [...SETTING_NAMES, ...SECRET_NAMES].toSorted())
})

const SPIFFE: Environment = { TAPPASS_SPIFFE_TRUST_DOMAIN: 'example.org', TAPPASS_SPIFFE_SVID_DIR: '/run/svid' }

test('SVIDs are accepted where a trust domain is set', () => {
  assert.equal(read({}).spiffe, undefined)
  const audience = 'spiffe://example.org/tappass/gateway'
  const plain = { trustDomain: 'example.org', folder: '/run/svid', audience, listen: undefined }
  assert.deepEqual(read(SPIFFE).spiffe, plain)
  assert.equal(read({ ...SPIFFE, TAPPASS_SPIFFE_AUDIENCE: 'https://a.example' }).spiffe?.audience, 'https://a.example')
  const rows: readonly (readonly [text: string, host: string, port: number])[] = [
    ['127.0.0.1:9621', '127.0.0.1', 9621],
    ['[::1]:0', '::1', 0],
    ['gateway.example.org:443', 'gateway.example.org', 443],
  ]
  for (const [text, host, port] of rows) {
    const { spiffe } = read({ ...SPIFFE, TAPPASS_SPIFFE_ADDRESS: text })
    assert.deepEqual(spiffe?.listen, { kind: 'address', host, port })
  }
})

const SPIFFE_PROBLEMS: readonly (readonly [environment: Environment, problem: RegExp])[] = [
  [{ TAPPASS_SPIFFE_TRUST_DOMAIN: 'Example.org' }, /TRUST_DOMAIN is no name of a trust domain/],
  [{ TAPPASS_SPIFFE_TRUST_DOMAIN: 'spiffe://example.org' }, /TRUST_DOMAIN is no name/],
  [{ TAPPASS_SPIFFE_TRUST_DOMAIN: 'example.org' }, /SVID_DIR is missing/],
  [{ TAPPASS_SPIFFE_SVID_DIR: '/run/svid' }, /SVID_DIR is set without TAPPASS_SPIFFE_TRUST_DOMAIN/],
  [{ TAPPASS_SPIFFE_ADDRESS: '127.0.0.1:9621' }, /ADDRESS is set without/],
  [{ ...SPIFFE, TAPPASS_SPIFFE_SVID_DIR: 'svid' }, /SVID_DIR is no absolute path/],
  [{ ...SPIFFE, TAPPASS_SPIFFE_AUDIENCE: 'gateway' }, /AUDIENCE is neither/],
  [{ ...SPIFFE, TAPPASS_SPIFFE_ADDRESS: '9621' }, /ADDRESS is not HOST:PORT/],
  [{ ...SPIFFE, TAPPASS_SPIFFE_ADDRESS: '::1:9621' }, /ADDRESS is not HOST:PORT/],
  [{ ...SPIFFE, TAPPASS_SPIFFE_ADDRESS: '127.0.0.1:70000' }, /ADDRESS has a port above 65535/],
]

test('settings of SVIDs that are wrong, or useless, are named', () => {
  for (const [environment, problem] of SPIFFE_PROBLEMS) {
    const problems = problemsOf(environment)
    assert.equal(problems.length, 1, problems.join('; '))
    assert.match(problems[0] ?? '', problem)
  }
})

/** Names of systemd's sockets, and the descriptors of the ordinary one and of that for SVIDs. */
const SOCKETS: readonly (readonly [
  names: string | undefined,
  count: number,
  ordinary: number | undefined,
  spiffe: number | undefined,
])[] = [
  [undefined, 1, 3, undefined],
  ['gateway.socket', 1, 3, undefined],
  ['gateway.socket:spiffe', 2, 3, 4],
  ['spiffe:gateway.socket', 2, 4, 3],
  ['spiffe', 1, undefined, 3],
  ['a:b:spiffe', 3, 3, 5],
  ['gateway.socket:spiffe', 1, 3, undefined],
]

test('the sockets that systemd opened are known by their names', () => {
  for (const [names, count, ordinary, spiffe] of SOCKETS) {
    const passed = { LISTEN_FDS: String(count), LISTEN_PID: String(PID), LISTEN_FDNAMES: names }
    const config = read({ ...SPIFFE, TAPPASS_SPIFFE_ADDRESS: '127.0.0.1:9621', ...passed })
    const fdOf = (listen: Config['listen'] | undefined): number | undefined =>
      listen?.kind === 'descriptor' ? listen.fd : undefined
    assert.deepEqual([fdOf(config.listen), fdOf(config.spiffe?.listen)], [ordinary, spiffe], names ?? 'no names')
  }
})
for (const [environment, policy] of [
  [{}, { engine: 'embedded' }],
  [{ TAPPASS_POLICY_ENGINE: 'embedded' }, { engine: 'embedded' }],
  [{ OPA_URL: 'unix:///run/opa.sock' }, { engine: 'opa', url: 'unix:///run/opa.sock' }],
  [
    { TAPPASS_POLICY_ENGINE: 'opa', OPA_URL: 'http://127.0.0.1:8181' },
    { engine: 'opa', url: 'http://127.0.0.1:8181' },
  ],
] as const) {
  test(`the engine of ${JSON.stringify(environment)}`, () =>
    assert.deepEqual(readConfig('gateway', environment).policy, policy))
}

test('without an endpoint no traces, and with one OpenTelemetry’s defaults', () => {
  assert.equal(read({ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }).traces, undefined)
  assert.deepEqual(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/' }).traces, {
    endpoint: 'http://127.0.0.1:4318',
    protocol: 'http/protobuf',
    headers: {},
    serviceName: 'tappass',
    sampler: 'parentbased_always_on',
    share: 1,
  })
})

test('headers of the collector come from a credential, percent-encoded', () => {
  const file = join(folder, credentialId('OTEL_EXPORTER_OTLP_HEADERS'))
  writeFileSync(file, 'Authorization=Basic%20YQ==, x-tenant=a\n')
  const { traces } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example', CREDENTIALS_DIRECTORY: folder })
  rmSync(file)
  assert.deepEqual(traces?.headers, { authorization: 'Basic YQ==', 'x-tenant': 'a' })
})

for (const [name, value, problem] of [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317', /^OTEL_EXPORTER_OTLP_ENDPOINT is not an address/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://u:p@c.example', /^OTEL_EXPORTER_OTLP_ENDPOINT has a user or a password/],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json', /^OTEL_EXPORTER_OTLP_PROTOCOL is none of http\/protobuf, grpc/],
  ['OTEL_SERVICE_NAME', 'a b', /^OTEL_SERVICE_NAME has more than letters/],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote', /^OTEL_TRACES_SAMPLER is none of always_on/],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5', /^OTEL_TRACES_SAMPLER_ARG is no share from 0 to 1/],
  ['OTEL_TRACES_SAMPLER_ARG', '-0.1', /^OTEL_TRACES_SAMPLER_ARG is no share from 0 to 1/],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization', /^OTEL_EXPORTER_OTLP_HEADERS is not name=value/],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=b%0Ac', /^OTEL_EXPORTER_OTLP_HEADERS is not name=value/],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=b c', /^OTEL_EXPORTER_OTLP_HEADERS is not name=value/],
] as const)
  test(`traces: ${name}=${value}`, () => assert.match(problemsOf({ [name]: value }).join('\n'), problem))

for (const [share, is] of [
  ['0', 0],
  ['0.01', 0.01],
  ['.5', 0.5],
  ['1.0', 1],
] as const)
  test(`traces: a share of ${share}`, () => {
    const { traces } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_TRACES_SAMPLER_ARG: share })
    assert.equal(traces?.share, is)
  })

for (const [endpoint, isExposed] of [
  ['http://c.example.com:4318', true],
  ['https://c.example.com:4318', false],
  ['http://10.0.0.7:4318', false],
] as const)
  test(`traces: headers to ${endpoint} are ${isExposed ? '' : 'not '}warned of`, () => {
    const { warnings } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=secret' })
    assert.equal(warnings.length, isExposed ? 1 : 0)
    assert.ok(!warnings.join().includes('secret'))
  })
