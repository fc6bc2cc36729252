/**
 * What the chart renders, by others' own code: every pod passes the level "restricted" of Pod Security as Kubernetes' admission judges it, and one with one thing
 * changed is refused for that; objects of the Prometheus operator have no member that its types lack. Needs: kubernetes.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { ensureJudge } from '../lab/kubernetes.ts'
import { everyValues, GOOD_VALUES } from './chart-values.ts'
import { renderManifests } from './manifest.ts'

// biome-ignore lint/suspicious/noExplicitAny: parts of manifests, looked at by their paths
type Any = any

/** What is said against each. */
async function judge(what: 'monitoring' | 'pods', objects: readonly object[]): Promise<readonly (readonly string[])[]> {
  const program = await ensureJudge()
  const { status, stdout, stderr } = spawnSync(program, [what], { input: JSON.stringify(objects), encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as readonly (readonly string[])[]
}

const podsOf = (given: object): readonly Any[] =>
  renderManifests(given as Any)
    .filter(({ kind }) => ['Deployment', 'Job'].includes(kind))
    .map(({ spec }) => spec.template)

test('pod security: every pod passes "restricted"', async () => {
  const rows = everyValues().flatMap(([name, given]) => podsOf(given).map((pod) => ({ name, pod })))
  const judged = await judge(
    'pods',
    rows.map(({ pod }) => pod),
  )
  assert.deepEqual(
    rows.map(({ name }, at) => [name, judged[at]]),
    rows.map(({ name }) => [name, []]),
  )
})

/** One thing changed, and what it is refused for. */
const SPOILT: readonly (readonly [reason: string, spoil: (spec: Any) => void])[] = [
  ['runAsNonRoot != true', (spec) => delete spec.securityContext.runAsNonRoot],
  ['runAsUser=0', (spec) => (spec.securityContext.runAsUser = 0)],
  ['seccompProfile', (spec) => delete spec.securityContext.seccompProfile],
  ['seccompProfile', (spec) => (spec.securityContext.seccompProfile = { type: 'Unconfined' })],
  ['allowPrivilegeEscalation != false', ({ containers: [one] }) => delete one.securityContext.allowPrivilegeEscalation],
  ['allowPrivilegeEscalation != false', ({ initContainers: [one] }) => delete one.securityContext],
  ['unrestricted capabilities', ({ containers: [one] }) => (one.securityContext.capabilities = { add: ['NET_RAW'] })],
  ['privileged', ({ containers: [one] }) => (one.securityContext.privileged = true)],
  ['host namespaces', (spec) => (spec.hostNetwork = true)],
  ['hostPort', ({ containers: [one] }) => (one.ports = [{ containerPort: 9620, hostPort: 9620 }])],
  ['restricted volume types', (spec) => spec.volumes.push({ name: 'host', hostPath: { path: '/' } })],
]

test('pod security: a pod with one thing changed is refused for that', async () => {
  const pods = SPOILT.map(([, spoil]) => {
    const [pod] = structuredClone(podsOf(GOOD_VALUES['OPA as a sidecar'] ?? {})).filter(
      (each) => each.spec.initContainers,
    )
    spoil(pod.spec)
    return pod
  })
  const judged = await judge('pods', pods)
  for (const [at, [reason]] of SPOILT.entries()) assert.ok(judged[at]?.includes(reason), `${reason}: ${judged[at]}`)
})

test('prometheus operator: its objects have nothing that its types lack, and one that has is refused', async () => {
  const objects = renderManifests(GOOD_VALUES['monitoring'] ?? {}).filter(({ apiVersion }) =>
    apiVersion.startsWith('monitoring.coreos.com/'),
  )
  assert.deepEqual(objects.map(({ kind }) => kind).toSorted(), ['PrometheusRule', 'ServiceMonitor'])
  assert.deepEqual(await judge('monitoring', objects), [[], []])
  const spoilt = structuredClone(objects) as Any
  for (const { spec } of spoilt) Object.assign((spec.endpoints ?? spec.groups)[0], { intervall: '1s' })
  for (const said of await judge('monitoring', spoilt)) assert.match(said.join(), /unknown field .*intervall/)
})
