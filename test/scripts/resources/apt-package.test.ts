/** Packages: states of dpkg, and what would be installed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAptListFreshFact, type PackageState, packagesFact } from '../../../scripts/facts/package.ts'
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
