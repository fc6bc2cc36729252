/** A Docker that is there already: what is said of it, which is refused, and which is left alone. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import type { GetFact } from '../../../scripts/core/host.ts'
import { dockerConflicts, dockerPackages } from '../../../scripts/facts/distribution.ts'
import { foreignDockerFact } from '../../../scripts/facts/foreign-docker.ts'
import { packagesFact } from '../../../scripts/facts/package.ts'
import { foreignContainers, foreignEngine } from '../../../scripts/resources/foreign-docker.ts'
import { factReaderOf, factRow, factsHere, scratch, traits } from '../known-host.ts'

const settledBy = ['/etc/systemd/system/docker.service.d/tappass.conf']

type Host = Readonly<{
  source?: 'vendor' | 'distribution'
  packages?: readonly string[]
  status?: string
  said?: string
}>

const factsOf = ({ packages = [], status = 'ii', said = '' }: Host): GetFact => {
  const found = foreignDockerFact(settledBy)
  const byName = new Map(packages.map((name) => [name, { status, version: '1' }]))
  return factReaderOf([
    traits(),
    factRow(packagesFact, { byName, interrupted: [] }),
    factRow(found, found.parse({ code: 0, stdout: said, stderr: '' })),
  ])
}

const engine = (host: Host, source: 'vendor' | 'distribution' = 'vendor') =>
  foreignEngine({
    packages: (found) => dockerPackages(found, source),
    conflicts: dockerConflicts(source),
    settledBy,
    otherSource: source === 'vendor' ? 'distribution' : 'vendor',
  }).plan(factsOf(host))

const vendors = ['docker-ce', 'docker-ce-cli', 'containerd.io']
const debian = ['docker.io', 'docker-cli', 'iptables', 'containerd', 'runc']

const engines: readonly (Host & Readonly<{ name: string; says?: RegExp; next?: RegExp }>)[] = [
  { name: 'none' },
  { name: 'the vendor’s, as wanted', packages: vendors, said: 'listening' },
  { name: 'the distribution’s, as wanted', source: 'distribution', packages: debian, said: 'listening' },
  {
    name: 'the distribution’s, where the vendor’s is wanted',
    packages: debian,
    says: /another Docker on this host: docker\.io, docker-cli, containerd, runc/,
    next: /docker\.source: distribution/,
  },
  { name: 'a kubelet’s runc alone', packages: ['runc'], says: /runc/, next: /docker\.source: distribution/ },
  {
    name: 'the vendor’s, where the distribution’s is wanted',
    source: 'distribution',
    packages: vendors,
    says: /docker-ce, docker-ce-cli, containerd\.io/,
    next: /docker\.source: vendor/,
  },
  { name: 'what was removed but for its settings', packages: debian, status: 'rc' },
  {
    name: 'podman’s command',
    packages: ['podman-docker'],
    says: /podman-docker/,
    next: /apt-get remove podman-docker/,
  },
  { name: 'a snap', said: 'snap /snap/bin/docker\nlistening', says: /as a snap/, next: /snap remove docker/ },
  { name: 'an engine of no package', said: 'listening', says: /listens on \/run\/docker\.sock/, next: /ss -lxp/ },
]

const outcome = async (planning: Promise<readonly unknown[]>): Promise<Failure | undefined> =>
  planning.then(
    (changes) => void assert.deepEqual(changes, []),
    (failure: Failure) => failure,
  )

for (const { name, says, next, source, ...host } of engines) {
  test(`a foreign engine: ${name} is ${says === undefined ? 'fine' : 'refused'}`, async () => {
    const failure = await outcome(engine(host, source))
    assert.equal(failure?.code, says === undefined ? undefined : 5)
    if (says !== undefined) assert.match(failure?.message ?? '', says)
    if (next !== undefined) assert.match(failure?.text.next ?? '', next)
  })
}

const contents = [
  { name: 'none', said: '', isAdopted: false },
  { name: 'ours, from a run that was killed', said: 'container tappass-postgres', isAdopted: false },
  {
    name: 'somebody’s',
    said: 'container tappass-redis\ncontainer shop',
    isAdopted: false,
    says: /containers of somebody/,
  },
  { name: 'somebody’s, adopted', said: 'container shop', isAdopted: true },
  { name: 'an engine that does not answer', said: 'silent', isAdopted: true, says: /does not answer/ },
  { name: 'other accounts, adopted', said: 'remapping', isAdopted: true, says: /other accounts/ },
] as const

for (const { name, said, isAdopted, ...rest } of contents) {
  const says = 'says' in rest ? rest.says : undefined
  test(`foreign containers: ${name}: ${says === undefined ? 'fine' : 'refused'}`, async () => {
    const failure = await outcome(foreignContainers({ settledBy, isAdopted }).plan(factsOf({ said })))
    assert.equal(failure?.code, says === undefined ? undefined : 5)
    if (says !== undefined) assert.match(failure?.message ?? '', says)
  })
}

test('foreign Docker: once the engine is ours nothing is asked', async (context) => {
  const mark = join(scratch(context), 'tappass.conf')
  writeFileSync(mark, '')
  const found = await factsHere()(foreignDockerFact([mark]))
  assert.deepEqual(found, {
    snap: undefined,
    isListening: false,
    isSilent: false,
    containers: [],
    isRemappingUsers: false,
  })
})
