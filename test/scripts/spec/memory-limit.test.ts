/** Limits of memory: rows of hosts and settings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MemoryLimits, type MemorySettings, memoryLimits, memorySum } from '../../../scripts/spec/memory-limit.ts'
import { memoryRemedy } from '../../../scripts/spec/memory-remedy.ts'

type WithoutIdentity = Omit<MemoryLimits, 'identity' | 'tunnel'>
const plenty: WithoutIdentity = {
  ...{ gateway: 1024, postgres: 1024, sharedBuffers: 256, redis: 128, redisData: 64, caddy: 512, job: 512, opa: 0 },
}

/** Without OPA, whose servers have a share, too. */
const EMBEDDED = { policy: { engine: 'embedded' } } as const

type Row = Readonly<{
  name: string
  memory: number
  engine?: 'opa'
  instances?: number
  postgres?: MemorySettings['postgres']
  redis?: MemorySettings['redis']
  limits: WithoutIdentity
}>

const rows: readonly Row[] = [
  { name: 'memory is not known', memory: 0, limits: plenty },
  { name: '64 GB', memory: 64_000, limits: plenty },
  { name: '8 GB', memory: 7900, limits: plenty },
  {
    name: '4 GB',
    memory: 3900,
    limits: {
      ...plenty,
      ...{ gateway: 770, postgres: 712, sharedBuffers: 178, redis: 93, redisData: 46, caddy: 350, job: 373 },
    },
  },
  {
    name: '2 GB',
    memory: 1960,
    limits: {
      ...{ gateway: 432, postgres: 298, sharedBuffers: 74, redis: 47, redisData: 23, caddy: 135, job: 189, opa: 0 },
    },
  },
  {
    name: '1.8 GB, the least by default',
    memory: 1800,
    limits: {
      ...{ gateway: 410, postgres: 270, sharedBuffers: 67, redis: 44, redisData: 22, caddy: 121, job: 177, opa: 0 },
    },
  },
  {
    name: '4 GB with OPA',
    ...{ memory: 3900, engine: 'opa' },
    limits: {
      ...{ gateway: 691, postgres: 615, sharedBuffers: 153, redis: 82, redisData: 41, caddy: 300, job: 330, opa: 180 },
    },
  },
  {
    name: '2 GB with OPA',
    ...{ memory: 1960, engine: 'opa' },
    limits: {
      ...{ gateway: 384, postgres: 238, sharedBuffers: 59, redis: 40, redisData: 20, caddy: 104, job: 162, opa: 110 },
    },
  },
  {
    name: '1.8 GB with OPA, the least by default',
    ...{ memory: 1800, engine: 'opa' },
    limits: {
      ...{ gateway: 363, postgres: 213, sharedBuffers: 53, redis: 37, redisData: 18, caddy: 91, job: 151, opa: 105 },
    },
  },
  {
    name: '1 GB, one instance',
    memory: 970,
    instances: 1,
    limits: {
      ...{ gateway: 338, postgres: 182, sharedBuffers: 45, redis: 34, redisData: 17, caddy: 75, job: 137, opa: 0 },
    },
  },
]

for (const { name, memory, engine, instances = 2, postgres = {}, redis = {}, limits } of rows) {
  test(`memory limits: ${name}`, () => {
    const found = memoryLimits({ instances, postgres, redis, ...(engine === undefined ? EMBEDDED : {}) }, memory)
    assert.deepEqual(found, { ...limits, tunnel: 0, identity: 0 })
    if (memory > 0) assert.ok(memorySum(found, instances) <= memory * 0.8, 'a fifth is left for the system')
  })
}

test('memory limits: they add up on every host that has room for the least of each', () => {
  for (let memory = 1600; memory <= 16_384; memory += 7)
    for (const instances of [1, 2])
      for (const engine of [{}, EMBEDDED]) {
        const sum = memorySum(memoryLimits({ instances, postgres: {}, redis: {}, ...engine }, memory), instances)
        assert.ok(sum <= memory * 0.8, `${instances} on ${memory}: ${sum}`)
      }
})

test('memory limits: what is written stays, and takes from the others', () => {
  const settings = { instances: 2, postgres: { memoryMegabytes: 1024 }, redis: { maxMemoryMegabytes: 64 }, ...EMBEDDED }
  const { postgres, sharedBuffers, redis, redisData, gateway } = memoryLimits(settings, 3900)
  assert.deepEqual([postgres, sharedBuffers, redis, redisData], [1024, 256, 128, 64])
  assert.ok(gateway < 770, String(gateway))
})

test('memory limits: buffers that are written bring the memory that they need', () => {
  const settings = { instances: 2, postgres: { sharedBuffersMegabytes: 512 }, redis: {} }
  const { postgres, sharedBuffers } = memoryLimits(settings, 64_000)
  assert.deepEqual([postgres, sharedBuffers], [2048, 512])
})

test('memory limits: a few megabytes more or less, as with another kernel, change nothing', () => {
  const of = (memory: number) => memoryLimits({ instances: 2, postgres: {}, redis: {} }, memory)
  assert.deepEqual(of(1960), of(1975))
})

test('memory limits: identities have a share of their own, and all add up', () => {
  const identity = {
    ...{ trustDomain: 'example.org', workloads: [], x509SvidMinutes: 60, jwtSvidMinutes: 5 },
    agentDays: 7,
    caDays: 90,
    serverPort: 8081,
  }
  for (const [memory, megabytes] of [
    [64_000, 640],
    [3900, 448],
    [1960, 283],
  ] as const) {
    const found = memoryLimits({ instances: 2, postgres: {}, redis: {}, identity, ...EMBEDDED }, memory)
    assert.equal(found.identity, megabytes)
    if (memory > 2000) assert.ok(memorySum(found, 2) <= memory * 0.8)
  }
})

const ports = { http: 80, https: 443, http3: true, names: [] }
const ingresses: readonly (readonly [
  name: string,
  ingress: NonNullable<MemorySettings['ingress']>,
  caddy: number,
  tunnel: number,
])[] = [
  ['none', 'none', 0, 0],
  ['Caddy', { ...ports, kind: 'caddy' }, 135, 0],
  ['a tunnel', { ...ports, kind: 'tunnel' }, 0, 182],
  ['both live', { ...ports, kind: 'both', live: 'both' }, 112, 169],
  ['both prepared, which run side by side while they change over', { ...ports, kind: 'both' }, 112, 169],
]
for (const [name, ingress, caddy, tunnel] of ingresses) {
  test(`memory limits: ingress ${name}: what can run has a share of its own, and all add up`, () => {
    const found = memoryLimits({ instances: 2, postgres: {}, redis: {}, ingress, ...EMBEDDED }, 1960)
    assert.deepEqual([found.caddy, found.tunnel], [caddy, tunnel])
    const { gateway, postgres, redis, job } = found
    assert.equal(memorySum(found, 2), 2 * gateway + postgres + redis + job + caddy + tunnel)
    assert.ok(memorySum(found, 2) <= 1960 * 0.8)
  })
}

test('memory limits: two instances do not fit into 1 GB, nor thirty-two into 8 GB', () => {
  for (const [instances, memory] of [
    [2, 970],
    [32, 7900],
  ] as const)
    assert.ok(memorySum(memoryLimits({ instances, postgres: {}, redis: {} }, memory), instances) > memory)
})

/** What to write, by the host's memory: rows for the default of 1800 MB and two instances, unless they say otherwise. */
const remedies: readonly Readonly<{
  name: string
  memory: number
  settings?: Partial<MemorySettings>
  minimum?: number
  says: string
}>[] = [
  {
    name: '1 GB',
    memory: 970,
    says: 'add memory, or write in host.yaml: "policy: { engine: embedded }" and "instances: 1" and "preflight: { memoryMegabytesMin: 896 }"',
  },
  {
    name: '1.5 GB has room for both instances',
    memory: 1480,
    says: 'add memory, or write in host.yaml: "preflight: { memoryMegabytesMin: 1408 }"',
  },
  {
    name: 'many instances on 4 GB',
    memory: 3900,
    settings: { instances: 20 },
    says: 'add memory, or write in host.yaml: "instances: 9"',
  },
  {
    name: 'sizes that were written count as they are',
    memory: 1960,
    settings: { postgres: { memoryMegabytes: 1200 } },
    says: 'add memory, or write in host.yaml: "policy: { engine: embedded }" and "instances: 1"',
  },
  { name: '512 MB are not enough for anything', memory: 480, says: 'add memory' },
  {
    name: 'sizes that leave no room',
    memory: 1960,
    settings: { redis: { maxMemoryMegabytes: 900 } },
    says: 'add memory, or lower the sizes of postgres and redis in host.yaml',
  },
]

for (const { name, memory, settings = {}, minimum = 1800, says } of remedies) {
  test(`memory remedy: ${name}`, () => {
    assert.equal(memoryRemedy({ instances: 2, postgres: {}, redis: {}, ...settings }, memory, minimum), says)
  })
}

test('memory remedy: with what it says every host passes both checks', () => {
  for (let memory = 900; memory < 1800; memory += 1) {
    const said = memoryRemedy({ instances: 2, postgres: {}, redis: {} }, memory, 1800)
    const instances = Number(/"instances: (\d+)"/.exec(said)?.[1] ?? 2)
    const minimum = Number(/memoryMegabytesMin: (\d+)/.exec(said)?.[1])
    assert.ok(minimum <= memory, `${memory}: ${said}`)
    const settings = { instances, postgres: {}, redis: {}, ...(said.includes('engine: embedded') ? EMBEDDED : {}) }
    assert.ok(memorySum(memoryLimits(settings, memory), instances) <= memory - 192, said)
  }
})
