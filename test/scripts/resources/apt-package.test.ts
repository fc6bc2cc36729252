/** Packages: states of dpkg, and what would be installed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAptListFreshFact, type PackageState, packagesFact } from '../../../scripts/facts/package.ts'
import { pathFact } from '../../../scripts/facts/path.ts'
import { aptPackage } from '../../../scripts/resources/apt-package.ts'
import { argvOf, factReaderOf, factRow, planLines, traits } from '../known-host.ts'
import { text } from '../roles/blank-host.ts'

const waiting = text('scripts/first-boot.sh')

type Host = Readonly<{ packages: Record<string, PackageState>; interrupted?: readonly string[]; isFresh?: boolean }>

const factsOf = ({ packages, interrupted = [], isFresh = true }: Host) => [
  traits(),
  factRow(packagesFact, { byName: new Map(Object.entries(packages)), interrupted }),
  factRow(isAptListFreshFact, isFresh),
]
const installed = { status: 'ii', version: '1.2-3' }

const rows: readonly Readonly<{ name: string; wanted: readonly string[]; host: Host; changes: readonly string[] }>[] = [
  { name: 'installed', wanted: ['curl'], host: { packages: { curl: installed } }, changes: [] },
  {
    name: 'one of two is absent',
    wanted: ['curl', 'jq'],
    host: { packages: { curl: installed } },
    changes: ['install jq, because jq is not installed'],
  },
  {
    name: 'removed but for its configuration',
    wanted: ['curl'],
    host: { packages: { curl: { status: 'rc', version: '1.2-3' } } },
    changes: ['install curl, because dpkg reports state "rc" for curl'],
  },
  {
    name: 'known by name only',
    wanted: ['curl'],
    host: { packages: { curl: { status: 'un', version: '<none>' } } },
    changes: ['install curl, because curl is not installed'],
  },
  { name: 'the wanted version', wanted: ['curl=1.2-3'], host: { packages: { curl: installed } }, changes: [] },
  {
    name: 'another version',
    wanted: ['curl=1.2-4'],
    host: { packages: { curl: installed } },
    changes: ['install curl=1.2-4, because 1.2-3 of curl is installed, not 1.2-4'],
  },
  {
    name: 'dpkg was killed while it unpacked a package of ours',
    wanted: ['curl'],
    host: { packages: { curl: { status: 'iU', version: '1.2-3' } }, interrupted: ['updates', 'curl'] },
    changes: [
      'finish an interrupted package installation, because dpkg was interrupted at updates, curl',
      'install curl, because dpkg reports state "iU" for curl',
    ],
  },
  {
    name: 'dpkg was killed in a package that ours needs',
    wanted: ['curl'],
    host: { packages: { curl: installed }, interrupted: ['libssl3'] },
    changes: ['finish an interrupted package installation, because dpkg was interrupted at libssl3'],
  },
]

for (const { name, wanted, host, changes } of rows) {
  test(`apt-package: ${name}`, async () => {
    assert.deepEqual(await planLines(aptPackage({ id: 'x', names: wanted, waiting }), factsOf(host)), changes)
  })
}

test('apt-package: names may depend on the host', async () => {
  const resource = aptPackage({ id: 'x', names: ({ codename }) => [`for-${codename}`], waiting })
  assert.deepEqual(await planLines(resource, factsOf({ packages: {} })), [
    'install for-trixie, because for-trixie is not installed',
  ])
})

test('apt-package: lists are fetched when they are not fresh, and only then; nothing is asked, kept files win', async () => {
  const plan = async (isFresh: boolean) =>
    argvOf(await aptPackage({ id: 'x', names: ['jq'], waiting }).plan(factReaderOf(factsOf({ packages: {}, isFresh }))))
  const [stale, fresh] = [await plan(false), await plan(true)]
  assert.ok(stale[0]?.join(' ').includes('apt-get update'))
  assert.equal(fresh.length, 1)
  const install = fresh[0]?.join(' ') ?? ''
  for (const part of [
    'DEBIAN_FRONTEND=noninteractive',
    'NEEDRESTART_SUSPEND=1',
    '--no-remove',
    'retry_while_locked',
    'made package "$package"',
    '--force-confold',
    '-- jq',
  ])
    assert.ok(install.includes(part), part)
})

const source = { file: '/bundles/b.tar', sha256: 'aa', part: { start: 512, end: 1023 } }
const stateOf = (kind: 'absent' | 'directory') =>
  kind === 'absent' ? { kind } : { kind, mode: '0755', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 1 }
const leftovers: readonly (readonly [
  name: string,
  packages: Host['packages'],
  left: 'absent' | 'directory',
  changes: readonly string[],
])[] = [
  ['absent', {}, 'absent', ['install jq, because jq is not installed']],
  ['installed', { jq: installed }, 'absent', []],
  [
    'installed by a run that was killed',
    { jq: installed },
    'directory',
    ['remove /var/cache/tappass-packages-x, because an interrupted run left it'],
  ],
]
for (const [name, packages, kind, changes] of leftovers) {
  test(`apt-package: from a bundle: ${name}`, async () => {
    const facts = [
      ...factsOf({ packages, isFresh: false }),
      factRow(pathFact('/var/cache/tappass-packages-x'), stateOf(kind)),
    ]
    assert.deepEqual(await planLines(aptPackage({ id: 'x', names: ['jq'], waiting, source }), facts), changes)
  })
}

test('apt-package: from a bundle apt reads one folder and nothing of the host’s own, and the folder goes', async () => {
  const left = factRow(pathFact('/var/cache/tappass-packages-x'), { kind: 'absent' })
  const facts = factReaderOf([...factsOf({ packages: {}, isFresh: false }), left])
  const changes = await aptPackage({ id: 'x', names: ['jq'], waiting, source }).plan(facts)
  const [install, remove, ...rest] = argvOf(changes).map((argv) => argv.join(' '))
  assert.deepEqual([remove, rest], ['rm -rf -- /var/cache/tappass-packages-x', []])
  assert.ok(install?.endsWith('-- jq'))
  const lists = '-o Dir::Etc::sourcelist=/var/cache/tappass-packages-x/sources.list -o Dir::Etc::sourceparts=/dev/null'
  assert.equal(install?.split(lists).length, 3, 'for the update and for the installation')
})

test('apt-package: what it fetches is told, and with a bundle that is nothing', async () => {
  const facts = factReaderOf([traits()])
  const fetched = await aptPackage({ id: 'x', names: ({ codename }) => [codename], waiting }).fetches?.(facts)
  assert.deepEqual(fetched, [{ kind: 'packages', id: 'x', names: ['trixie'] }])
  assert.deepEqual(await aptPackage({ id: 'x', names: ['jq'], waiting, source }).fetches?.(facts), [])
})
