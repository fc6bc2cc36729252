/** What a run takes from a bundle, and what it refuses without one of its release. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { openBundle } from '../../../scripts/bundle/bundle-file.ts'
import { assertOfRelease, offlineSource, withoutNetwork } from '../../../scripts/bundle/offline-source.ts'
import { scriptCommand } from '../../../scripts/core/command.ts'
import type { Fetched } from '../../../scripts/core/resource.ts'
import { recipe } from '../../../scripts/recipe.ts'
import { blank, specOf, systems, text } from '../roles/blank-host.ts'
import { smallBundle } from './small-bundle.ts'

let small: Awaited<ReturnType<typeof smallBundle>>
before(async () => {
  small = await smallBundle({ requirements: createHash('sha256').update('mkdocs').digest('hex') })
})
after(() => small.close())

test('offline: each setting has its file, image or packages of the bundle, and no other', async () => {
  const { fileOf, imageOf, packages, platform } = offlineSource(await openBundle(small.path, small.publicKey))
  const [node, redis, docker] = small.manifest.files
  assert.deepEqual([fileOf('node')?.sha256, fileOf('caddy')], [node?.sha256, undefined])
  assert.deepEqual([imageOf('images.redis')?.imageId, imageOf('images.postgres')], [redis?.imageId, undefined])
  assert.deepEqual(
    Object.entries(packages).map(([id, { sha256 }]) => [id, sha256]),
    [['docker', docker?.sha256]],
  )
  assert.equal(platform, 'debian-13-amd64')
})

const releases: readonly (readonly [release: string, requirements: string | undefined, isRefused: boolean])[] = [
  ['0.1.0-abc', undefined, false],
  ['0.1.0-abc', 'mkdocs', false],
  ['0.1.0-abc', 'another mkdocs', true],
  ['0.1.0-def', undefined, true],
]
for (const [release, requirements, isRefused] of releases) {
  test(`offline: release ${release}, requirements ${requirements}: ${isRefused ? 'refused' : 'taken'}`, async () => {
    const bundle = await openBundle(small.path, small.publicKey)
    const judge = () => assertOfRelease(bundle, release, requirements)
    if (isRefused) assert.throws(judge, { code: 5 })
    else judge()
  })
}

const change = { action: 'install it', reason: 'it is absent', commands: [scriptCommand('true', [])] } as const
const file: Fetched = { kind: 'file', setting: 'p', url: 'https://programs.example/p', sha256: 'aa' }
const repository: Fetched = { kind: 'repository', id: 'r', source: '', key: '' }
const rows: readonly (readonly [name: string, fetched: readonly Fetched[], hasChanges: boolean, isRefused: boolean])[] =
  [
    ['what it would fetch is refused', [file], true, true],
    ['what is there already needs nothing', [file], false, false],
    ['a source of packages is written, and not asked', [repository], true, false],
    ['what comes from the bundle is planned', [], true, false],
  ]
for (const [name, fetched, hasChanges, isRefused] of rows) {
  test(`offline: ${name}`, async () => {
    const plan = async () => (hasChanges ? [change] : [])
    const planned = withoutNetwork({ id: 'p', plan, fetches: async () => fetched }).plan(async () => undefined as never)
    if (isRefused) await assert.rejects(planned, { code: 5 })
    else assert.deepEqual(await planned, await plan())
  })
}

const ALL = {
  ...{ domain: 'gateway.example.com', ingress: { kind: 'both' }, identity: { trustDomain: 'example.com' } },
}
for (const system of systems) {
  test(`offline: what a bundle for ${system.id} ${system.version} holds is known from traits alone`, async () => {
    const resources = recipe(specOf(ALL), text).flatMap((role) => role.resources)
    const getFact = blank(system)
    const fetched = (await Promise.all(resources.map(async ({ fetches }) => (await fetches?.(getFact)) ?? []))).flat()
    const settings = fetched.map((each) => ('setting' in each ? each.setting : `${each.kind}.${each.id}`))
    assert.deepEqual(settings.toSorted(), [
      ...['caddy', 'cloudflared', 'images.postgres', 'images.redis', 'node', 'opa', 'packages.docker'],
      ...[
        'packages.nftables',
        'packages.prerequisites',
        'packages.security-updates',
        'packages.site',
        'packages.time-service',
      ],
      ...['repository.docker', 'site', 'spiffeHelper', 'spire'],
    ])
  })
}
