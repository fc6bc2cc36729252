/** Values that the chart is rendered with in tests, and values that its schema has to refuse. */

import { shareOf } from '../rounds.ts'

/** Values by their names. */
export type Given = Readonly<Record<string, unknown>>

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`

/** Rows that the chart takes. */
export const GOOD_VALUES: Readonly<Record<string, Given>> = {
  'the defaults': {},
  'addresses and settings': {
    image: { repository: 'registry.example.com/ai/tappass', tag: '0.12.0-1', digest: DIGEST, pullPolicy: 'Always' },
    database: {
      url: 'postgresql://tappass@db.example.com:5433/tappass?sslmode=verify-full',
      ownerUrl: 'postgresql://tappass_owner@db.example.com:5433/tappass?sslmode=verify-full',
    },
    redis: { url: 'rediss://tappass@redis.example.com:6380' },
    settings: {
      TAPPASS_PUBLIC_URL: 'https://gateway.example.com',
      TAPPASS_UPSTREAM_URL: 'https://models.example.com/v1',
      TAPPASS_RATE_CALLS: '100000000',
      TAPPASS_TAINTED_TOOLS: 'send_*, "quoted", http_request',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com:4318',
    },
  },
  'OPA as a sidecar': {
    policy: { engine: 'opa', opa: { image: `registry.example.com/opa@${DIGEST}`, bundle: 'tappass-opa-0123456789ab' } },
  },
  'a fixed number of pods': {
    autoscaling: { enabled: false },
    replicas: 5,
    disruption: { maxUnavailable: '25%' },
    topologySpread: { whenUnsatisfiable: 'DoNotSchedule' },
    drain: { beforeSeconds: 30, callSeconds: 600 },
    startup: { seconds: 299 },
  },
  'an ingress': {
    ingress: { enabled: true, className: 'nginx', host: 'gateway.example.com', tlsSecret: 'gateway-tls' },
  },
  'an ingress of another kind': {
    ingress: {
      ...{ enabled: true, host: 'gateway.example.com', tlsSecret: 'gateway-tls' },
      annotations: { 'nginx.ingress.kubernetes.io/proxy-buffering': null, 'example.com/odd': 'off: "on" # no\n  2' },
    },
  },
  monitoring: {
    monitoring: {
      ...{ enabled: true, keySecret: 'tappass-scrape', documentation: 'https://gw.example.com' },
      labels: { release: 'kube-prometheus-stack' },
    },
  },
  'without what a cluster may have of its own': {
    networkPolicy: { enabled: false },
    migration: { enabled: false },
  },
  'the end of an upgrade, and a place': {
    migration: { finish: true },
    imagePullSecrets: ['registry-one', 'registry-two'],
    checkpoints: { existingClaim: 'tappass-checkpoints' },
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'ai', effect: 'NoSchedule' }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }],
        },
      },
    },
    priorityClassName: 'high',
    podLabels: { team: 'ai', cost: '0123' },
    podAnnotations: { 'example.com/odd': 'yes', 'example.com/more': "it's 1e3\nand ünïcode" },
  },
  'names that YAML reads as something else': {
    secrets: { gateway: '1234', migration: 'null' },
    imagePullSecrets: ['0123'],
    checkpoints: { existingClaim: 'true' },
    priorityClassName: '1e3',
    ingress: { enabled: true, className: 'on', host: '1.5', tlsSecret: 'off' },
    policy: { engine: 'opa', opa: { bundle: '12' } },
  },
  'narrow networks': {
    networkPolicy: {
      from: [{ namespaceSelector: { matchLabels: { team: 'agents' } }, podSelector: {} }],
      database: { port: 6432, to: [{ ipBlock: { cidr: '10.1.2.3/32' } }] },
      redis: { to: [{ podSelector: { matchLabels: { app: 'redis' } } }] },
      upstream: { port: 3128, to: null },
      dns: { to: [] },
    },
  },
}

/** Puts one over the other, object by object. */
function merged(one: Given, other: Given): Given {
  const isObject = (value: unknown): value is Given =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const pairs = Object.entries(other).map(([name, value]) => {
    const below = one[name]
    return [name, isObject(value) && isObject(below) ? merged(below, value) : value] as const
  })
  return { ...one, ...Object.fromEntries(pairs) }
}

/** All of them, and each one with each other: of those pairs the share that is asked for. */
export function everyValues(): readonly (readonly [name: string, values: Given])[] {
  const rows = Object.entries(GOOD_VALUES)
  const [, ...told] = rows
  const pairs = told.flatMap(([name, values], at) =>
    told.slice(at + 1).map(([otherName, other]) => [`${name}; ${otherName}`, merged(values, other)] as const),
  )
  const wanted = shareOf(pairs.length)
  const isTaken = (at: number) =>
    Math.floor(((at + 1) * wanted) / pairs.length) > Math.floor((at * wanted) / pairs.length)
  return [...rows, ...pairs.filter((_, at) => isTaken(at))]
}

/** Rows that it refuses: the values, where Helm finds that wrong, and what ours says of it. */
export const BAD_VALUES: readonly (readonly [values: Given, name: string, says: RegExp])[] = [
  [{ replica: 3 }, '', /^replica is not a value of the chart$/],
  [{ networkPolicy: { enabld: false } }, 'networkPolicy', /^networkPolicy\.enabld is not a value of the chart$/],
  [{ replicas: 0 }, 'replicas', /^replicas must be >= 1$/],
  [{ replicas: '3' }, 'replicas', /^replicas must be integer$/],
  [{ autoscaling: { cpuPercent: 101 } }, 'autoscaling/cpuPercent', /^autoscaling\.cpuPercent must be <= 100$/],
  [{ image: { repository: '' } }, 'image/repository', /^image\.repository must match/],
  [{ image: { digest: 'sha256:1234' } }, 'image/digest', /^image\.digest must match/],
  [
    { image: { pullPolicy: 'Sometimes' } },
    'image/pullPolicy',
    /^image\.pullPolicy is none of Always, IfNotPresent, Never$/,
  ],
  [
    { database: { url: 'postgresql://tappass:hunter2@db/tappass' } },
    'database/url',
    /^database\.url .*Without a password/,
  ],
  [
    { database: { url: 'postgresql://tappass@db/tappass?password=hunter2' } },
    'database/url',
    /^database\.url .*Without a password/,
  ],
  [
    { database: { ownerUrl: 'postgresql://o:hunter2@db/tappass' } },
    'database/ownerUrl',
    /^database\.ownerUrl .*Without a password/,
  ],
  [{ database: { url: 'mysql://tappass@db/tappass' } }, 'database/url', /^database\.url must match/],
  [{ redis: { url: 'redis://:hunter2@redis:6379' } }, 'redis/url', /^redis\.url .*Without a password/],
  [
    { settings: { OPENAI_API_KEY: 'sk-hunter2' } },
    'settings',
    /^settings\.OPENAI_API_KEY is not a value of the chart$/,
  ],
  [
    { settings: { TAPPASS_RATE_CALLS: 1000 } },
    'settings/TAPPASS_RATE_CALLS',
    /^settings\.TAPPASS_RATE_CALLS must be string$/,
  ],
  [{ secrets: { gateway: '' } }, 'secrets/gateway', /^secrets\.gateway must match/],
  [{ policy: { engine: 'rego' } }, 'policy/engine', /^policy\.engine is none of embedded, opa$/],
  [{ policy: { engine: 'opa' } }, 'policy/opa/bundle', /^policy\.opa\.bundle has to be given$/],
  [{ ingress: { enabled: true, host: 'gw.example.com' } }, 'ingress/tlsSecret', /^ingress\.tlsSecret has to be given$/],
  [{ monitoring: { enabled: true } }, 'monitoring/keySecret', /^monitoring\.keySecret has to be given$/],
  [{ networkPolicy: { from: [] } }, 'networkPolicy/from', /^networkPolicy\.from must NOT have fewer than 1 items$/],
  [
    { networkPolicy: { from: [{}] } },
    'networkPolicy/from/0',
    /^networkPolicy\.from\.0 must NOT have fewer than 1 properties$/,
  ],
  [{ startup: { seconds: 5 } }, 'startup/seconds', /^startup\.seconds must be >= 10$/],
  [{ image: null }, '', /^image is missing$/],
]
