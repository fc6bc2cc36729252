/** What the chart renders, for each of many values: held as restricted Pod Security holds it, no secret anywhere, the playbook's probes, one name with the rest of the project. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import {
  credentialId,
  MADE_SECRET_NAMES,
  nextCredentialId,
  OVERLAPPING_SECRET_NAMES,
  SECRET_NAMES,
} from '../../../contract/secret.ts'
import { STORAGE_CREDENTIAL_IDS, STORAGE_NAMES } from '../../../contract/storage.ts'
import { SETTING_NAMES } from '../../../server/config/config.ts'
import { BAD_VALUES, everyValues, type Given, GOOD_VALUES } from '../../kubernetes/chart-values.ts'
import { chart, type Manifest, ROOT, renderManifests } from '../../kubernetes/manifest.ts'

// biome-ignore lint/suspicious/noExplicitAny: parts of manifests, looked at by their paths
type Any = any

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const rows: readonly (readonly [string, Given, readonly Manifest[]])[] = everyValues().map(([name, given]) => [
  name,
  given,
  renderManifests(given),
])

function one(manifests: readonly Manifest[], kind: string, name?: string): Any {
  const found = manifests.filter((each) => each.kind === kind && (name === undefined || each.metadata.name === name))
  assert.equal(found.length, 1, `${kind} ${name ?? ''}`)
  return found[0]
}

const podsOf = (manifests: readonly Manifest[]): readonly Any[] =>
  manifests.filter(({ kind }) => ['Deployment', 'Job'].includes(kind)).map(({ spec }) => spec.template.spec)
const containersOf = (pod: Any): readonly Any[] => [...pod.containers, ...(pod.initContainers ?? [])]
const gatewayOf = (manifests: readonly Manifest[]): Any => one(manifests, 'Deployment').spec.template.spec.containers[0]

/** Rules of the level "restricted" (https://kubernetes.io/docs/concepts/security/pod-security-standards/), and what we ask for beyond. */
const POD_RULES: Readonly<Record<string, (pod: Any) => boolean>> = {
  'no namespace of the host': (pod) => !pod.hostNetwork && !pod.hostPID && !pod.hostIPC,
  'seccomp RuntimeDefault': (pod) => pod.securityContext.seccompProfile.type === 'RuntimeDefault',
  'not as root': (pod) => pod.securityContext.runAsNonRoot === true && pod.securityContext.runAsUser > 0,
  'volumes of the kinds that are allowed': (pod) =>
    pod.volumes.every((volume: Any) => {
      const kinds = Object.keys(volume).filter((key) => key !== 'name')
      return ['configMap', 'emptyDir', 'persistentVolumeClaim', 'projected'].includes(kinds.join())
    }),
  'no token': (pod) => pod.automountServiceAccountToken === false,
  'no addresses of other Services in the environment': (pod) => pod.enableServiceLinks === false,
}

const CONTAINER_RULES: Readonly<Record<string, (container: Any) => boolean>> = {
  'no more privileges': ({ securityContext }) =>
    securityContext.allowPrivilegeEscalation === false && securityContext.privileged === undefined,
  'no capability': ({ securityContext }) =>
    JSON.stringify(securityContext.capabilities) === JSON.stringify({ drop: ['ALL'] }),
  'a root that can not be written': ({ securityContext }) => securityContext.readOnlyRootFilesystem === true,
  'no user, profile or process of its own': ({ securityContext }) =>
    ['runAsUser', 'runAsNonRoot', 'seccompProfile', 'procMount', 'seLinuxOptions', 'appArmorProfile'].every(
      (key) => !(key in securityContext),
    ),
  'no port of the host': ({ ports = [] }) => ports.every(({ hostPort }: Any) => hostPort === undefined),
  'bounds of memory': ({ resources }) => resources.limits.memory !== undefined && resources.requests !== undefined,
  'nothing of a Secret in the environment': ({ env = [], envFrom }) =>
    envFrom === undefined &&
    env.every(({ valueFrom }: Any) => Object.keys(valueFrom ?? {}).join('') in { '': 1, fieldRef: 1 }),
}

for (const [rule, holds] of Object.entries(POD_RULES))
  test(`chart: every pod: ${rule}`, () => {
    for (const [name, , manifests] of rows) for (const pod of podsOf(manifests)) assert.ok(holds(pod), name)
  })

for (const [rule, holds] of Object.entries(CONTAINER_RULES))
  test(`chart: every container: ${rule}`, () => {
    for (const [name, , manifests] of rows)
      for (const container of podsOf(manifests).flatMap(containersOf)) assert.ok(holds(container), name)
  })

/** A pod that breaks each rule: else a rule that holds for anything would go unnoticed. */
const BROKEN: Any = {
  hostNetwork: true,
  securityContext: { seccompProfile: { type: 'Unconfined' }, runAsNonRoot: true, runAsUser: 0 },
  volumes: [{ name: 'host', hostPath: { path: '/' } }],
}
const BROKEN_CONTAINER: Any = {
  securityContext: {
    allowPrivilegeEscalation: true,
    capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    runAsUser: 1,
  },
  ports: [{ hostPort: 80 }],
  resources: { limits: {} },
  env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }],
}

test('chart: a pod that is not held fails each of these rules', () => {
  for (const [rule, holds] of Object.entries(POD_RULES)) assert.ok(!holds(BROKEN), rule)
  for (const [rule, holds] of Object.entries(CONTAINER_RULES)) assert.ok(!holds(BROKEN_CONTAINER), rule)
})

for (const [given, , says] of BAD_VALUES)
  test(`chart: ${JSON.stringify(given)} is refused by name, without the value`, () => {
    const { problems } = chart.valuesOf([given])
    assert.match(problems.join('\n'), says)
    assert.equal(problems.length, 1)
    assert.doesNotMatch(problems.join(), /hunter2/)
  })

test('chart: the probes of the playbook', () => {
  const { livenessProbe, readinessProbe, startupProbe } = gatewayOf(renderManifests({}))
  const told = (probe: Any) => [probe.httpGet.path, probe.httpGet.port, probe.periodSeconds, probe.failureThreshold]
  assert.deepEqual(told(livenessProbe), ['/health/live', 'http', 10, undefined])
  assert.deepEqual(told(readinessProbe), ['/health/ready', 'http', 10, undefined])
  assert.deepEqual(told(startupProbe), ['/health/startup', 'http', 5, 30])
  assert.deepEqual(gatewayOf(renderManifests({})).ports, [{ name: 'http', containerPort: 9620 }])
})

test('chart: a pod has the time to end that its parts need', () => {
  for (const [name, , manifests] of rows) {
    const pod = one(manifests, 'Deployment').spec.template.spec
    const { env, lifecycle } = gatewayOf(manifests)
    const callSeconds = Number(env.find((each: Any) => each.name === 'TAPPASS_DRAIN_SECONDS').value)
    const ledgerSeconds = 20
    assert.ok(pod.terminationGracePeriodSeconds > lifecycle.preStop.sleep.seconds + callSeconds + ledgerSeconds, name)
  }
})

const LEFT_TO_CHART = [
  'TAPPASS_ENV',
  'TAPPASS_HOST',
  'TAPPASS_INSTANCE',
  'TAPPASS_CHECKPOINT_DIR',
  'TAPPASS_DRAIN_SECONDS',
]
const NOT_HERE = [
  'TAPPASS_PORT',
  'TAPPASS_STORAGE',
  'TAPPASS_DATA_DIR',
  'TAPPASS_POLICY_ENGINE',
  'SUPABASE_URL',
  'OPA_URL',
]

test('chart: every setting of the gateway is a value, or the chart’s own business', () => {
  const schema = JSON.parse(read('charts/tappass/values.schema.json')) as Any
  const named = Object.keys(schema.properties.settings.properties)
  const others = [...LEFT_TO_CHART, ...NOT_HERE, ...STORAGE_NAMES]
  const ofSystem = (name: string) => /^(LISTEN|NOTIFY|WATCHDOG|TAPPASS_SPIFFE)_/.test(name)
  const wanted = SETTING_NAMES.filter((name) => !others.includes(name) && !ofSystem(name))
  assert.deepEqual(named.toSorted(), wanted.toSorted())
})

/** The keys of Secrets that a pod mounts: those that have to be there, and the others. */
function keysOf(pod: Any): Readonly<Record<'required' | 'optional', readonly string[]>> {
  const sources: readonly Any[] = pod.volumes.find(({ name }: Any) => name === 'secrets').projected.sources
  const keys = (isOptional: boolean) =>
    sources
      .filter(({ secret }) => (secret.optional ?? false) === isOptional)
      .flatMap(({ secret }) => secret.items.map(({ key, path }: Any) => (key === path ? key : `${key} as ${path}`)))
  return { required: keys(false), optional: keys(true) }
}

test('chart: the gateway has the files of the secrets that it reads, and no others; the migration its own', () => {
  const manifests = renderManifests({})
  const gateway = keysOf(one(manifests, 'Deployment').spec.template.spec)
  assert.deepEqual(gateway.required, [...MADE_SECRET_NAMES.map(credentialId), 'database-url', 'redis-url'])
  const elsewhere = ['postgres-owner-password', 'database-owner-url', 'supabase-key', 'tappass-alert-url']
  const overlapping = OVERLAPPING_SECRET_NAMES.map((name) => nextCredentialId(credentialId(name)))
  const all = [...SECRET_NAMES.map(credentialId), ...overlapping, ...STORAGE_CREDENTIAL_IDS].filter(
    (id) => !elsewhere.some((other) => id.startsWith(other)),
  )
  assert.deepEqual([...gateway.required, ...gateway.optional].toSorted(), all.toSorted())
  const migration = keysOf(one(manifests, 'Job').spec.template.spec)
  assert.deepEqual(migration.required, [])
  assert.ok(migration.optional.every((id) => /^(postgres|database)-/.test(id)))
  const known = keysOf(
    one(renderManifests(GOOD_VALUES['addresses and settings'] ?? {}), 'Deployment').spec.template.spec,
  )
  assert.deepEqual(known.required, MADE_SECRET_NAMES.map(credentialId))
})

test('chart: the network lets in what asks the gateway, and out what it asks', () => {
  const ports = (rules: readonly Any[]) => rules.flatMap((rule) => rule.ports.map(({ port }: Any) => port))
  for (const [name, given, manifests] of rows) {
    const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy')
    if ((given['networkPolicy'] as Any)?.enabled === false) {
      assert.deepEqual(policies, [], name)
      continue
    }
    const { spec } = one(manifests, 'NetworkPolicy', 'tappass')
    assert.deepEqual(spec.policyTypes, ['Ingress', 'Egress'], name)
    assert.deepEqual(ports(spec.ingress), [9620], name)
    assert.ok(spec.ingress[0].from.length > 0, name)
    const { labels } = one(manifests, 'Deployment').spec.template.metadata
    for (const [key, value] of Object.entries(spec.podSelector.matchLabels)) assert.equal(labels[key], value, name)
  }
  const egress = one(renderManifests({}), 'NetworkPolicy', 'tappass').spec.egress
  assert.deepEqual(ports(egress), [53, 53, 5432, 6379, 443])
  assert.ok(egress.at(-1).to[0].ipBlock.except.includes('169.254.0.0/16'))
  const traced = renderManifests(GOOD_VALUES['addresses and settings'] ?? {})
  assert.deepEqual(ports(one(traced, 'NetworkPolicy', 'tappass').spec.egress), [53, 53, 5432, 6379, 443, 4318])
  const migration = one(renderManifests({}), 'NetworkPolicy', 'tappass-migration').spec
  assert.deepEqual([ports(migration.egress), migration.ingress], [[53, 53, 5432], undefined])
})

test('chart: the migration runs before the gateway, and what waits for acceptance only when it is told', () => {
  const job = one(renderManifests({}), 'Job')
  assert.equal(job.metadata.annotations['helm.sh/hook'], 'pre-install,pre-upgrade')
  assert.deepEqual(job.spec.template.spec.containers[0].args, ['server/migrate.ts', 'up', '--before-acceptance'])
  const finished = one(renderManifests({ migration: { finish: true } }), 'Job')
  assert.deepEqual(finished.spec.template.spec.containers[0].args, ['server/migrate.ts', 'up'])
  const kinds = renderManifests({}).map(({ kind }) => kind)
  assert.ok(kinds.indexOf('Job') < kinds.indexOf('Deployment'))
})

test('chart: OPA is a sidecar that is there before the gateway and after it', () => {
  const pod = one(renderManifests(GOOD_VALUES['OPA as a sidecar'] ?? {}), 'Deployment').spec.template.spec
  const [opa] = pod.initContainers
  assert.equal(opa.restartPolicy, 'Always')
  assert.equal(opa.startupProbe.httpGet.path, '/health?bundles')
  const url: string = gatewayOf(renderManifests(GOOD_VALUES['OPA as a sidecar'] ?? {})).env.find(
    ({ name }: Any) => name === 'OPA_URL',
  ).value
  assert.ok(opa.args.includes(`--addr=${url}`))
  assert.equal(one(renderManifests({}), 'Deployment').spec.template.spec.initContainers, undefined)
})

test('chart: the alerts are those of monitoring/alerts.yaml, with an address to read at', () => {
  const rule = one(renderManifests(GOOD_VALUES['monitoring'] ?? {}), 'PrometheusRule')
  const wanted = parse(read('monitoring/alerts.yaml').replaceAll('https://SERVER', 'https://gw.example.com')) as unknown
  assert.deepEqual(rule.spec, wanted)
  const [endpoint] = one(renderManifests(GOOD_VALUES['monitoring'] ?? {}), 'ServiceMonitor').spec.endpoints
  assert.deepEqual(endpoint.authorization.credentials, { name: 'tappass-scrape', key: 'key' })
  assert.deepEqual(endpoint.relabelings, [{ action: 'replace', targetLabel: 'job', replacement: 'tappass' }])
})

test('chart: streams pass an ingress as they come', () => {
  const { metadata, spec } = one(renderManifests(GOOD_VALUES['an ingress'] ?? {}), 'Ingress')
  assert.equal(metadata.annotations['nginx.ingress.kubernetes.io/proxy-buffering'], 'off')
  assert.equal(metadata.annotations['nginx.ingress.kubernetes.io/proxy-request-buffering'], 'off')
  assert.deepEqual(spec.tls, [{ hosts: ['gateway.example.com'], secretName: 'gateway-tls' }])
})

test('chart: its version, its user and its programs are those of the rest', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const about = parse(read('charts/tappass/Chart.yaml')) as Any
  assert.deepEqual([about.version, about.appVersion], [version, version])
  const user = /^FROM \S+ AS gateway$[\s\S]*?^USER (\d+):(\d+)$/m.exec(read('Dockerfile'))
  for (const pod of podsOf(renderManifests({})))
    assert.deepEqual([pod.securityContext.runAsUser, pod.securityContext.runAsGroup], user?.slice(1).map(Number))
  assert.match(read('Dockerfile'), /CREDENTIALS_DIRECTORY=\/run\/secrets/)
  const pins = parse(read('versions.yaml')) as Any
  const values = parse(read('charts/tappass/values.yaml')) as Any
  assert.equal(values.policy.opa.image, `openpolicyagent/opa:${pins.opa.version}-static`)
})

test('chart: objects have the name and the namespace that they are given', () => {
  for (const { metadata } of renderManifests({}, { name: 'gw', namespace: 'elsewhere' })) {
    assert.match(metadata.name, /^gw(-migration)?$/)
    assert.equal(metadata.namespace, 'elsewhere')
  }
})
