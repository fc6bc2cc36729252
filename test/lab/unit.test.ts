/** The units as they are on Debian 12: the lab's host has its systemd (252), the oldest that is supported. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { recoveryPair } from '../../contract/recovery-key.ts'
import { recipe } from '../../scripts/recipe.ts'
import { blank, planAll, specOf, systems, text, writtenBy } from '../scripts/roles/blank-host.ts'
import { execute } from './execution.ts'

const bookworm = systems.find(({ codename }) => codename === 'bookworm') ?? assert.fail('Debian 12 is supported')

const SECRETS = ['tunnel-token', 'backup-store-key-id', 'backup-store-secret']

let folder: string
const units: string[] = []

/** Programs that the lab's host lacks are replaced by one that it has: what is looked at here is the units' language. */
const withPrograms = (content: string): string =>
  content.replaceAll(
    /\/opt\/tappass\/\S+\/(node|caddy|cloudflared|opa|spire-server|spire-agent|spiffe-helper)(?= )|\/usr\/bin\/docker(?= )/g,
    '/bin/true',
  )

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tappass-units-'))
  const provided = { sha256: 'aa', readValue: () => '' }
  const written = {
    ingress: { kind: 'both', live: 'both' },
    identity: { trustDomain: 'example.org' },
    drift: { repair: true },
    firewall: { outbound: [] },
    backup: {
      recoveryKey: recoveryPair(generateKeyPairSync('x25519').privateKey).recipient,
      store: { s3: { endpoint: 'https://s3.example.com', bucket: 'copies', region: 'r' } },
    },
  }
  const spec = { ...specOf(written), secrets: Object.fromEntries(SECRETS.map((id) => [id, provided])) }
  const resources = recipe(spec, text).flatMap(({ resources }) => resources)
  for (const [path, content] of writtenBy(await planAll(resources, blank(bookworm)))) {
    if (!path.startsWith('/etc/systemd/system/tappass')) continue
    units.push(join(folder, basename(path)))
    await writeFile(join(folder, basename(path)), withPrograms(content))
  }
  await writeFile(join(folder, 'docker.service'), '[Service]\nExecStart=/bin/true\n')
})
after(() => rm(folder, { recursive: true, force: true }))

test('systemd-analyze verify has nothing to say', async () => {
  assert.ok(units.length >= 13)
  const { code, stdout, stderr } = await execute(['systemd-analyze', 'verify', ...units])
  assert.deepEqual([code, stdout, stderr], [0, '', ''])
})

/** Ten times the score that must not be exceeded. */
const rows = [
  ['tappass@.service', 15],
  ['tappass-migrate.service', 15],
  ['tappass-caddy.service', 15],
  ['tappass-tunnel@.service', 11],
  ['tappass-postgres.service', 10],
  ['tappass-redis.service', 10],
  ['tappass-backup.service', 12],
  // It reads the archived log, which is PostgreSQL's.
  ['tappass-backup-copy.service', 18],
  ['tappass-drill.service', 15],
  ['tappass-opa@.service', 15],
  ['tappass-firewall.service', 20],
  ['tappass-outbound.service', 20],
  ['tappass-spire-server.service', 10],
  ['tappass-spire-agent.service', 15],
  ['tappass-spiffe-helper.service', 10],
  ['tappass-check.service', 16],
  ['tappass-drift.service', 31],
] as const

for (const [unit, threshold] of rows) {
  test(`systemd-analyze security: ${unit} is at ${threshold / 10} at most`, async () => {
    const argv = [
      'systemd-analyze',
      'security',
      '--offline=true',
      `--threshold=${threshold}`,
      join(folder, unit),
    ] as const
    const { code, stdout } = await execute(argv)
    assert.equal(code, 0, stdout.slice(-500))
  })
}

test('the same program notices what is wrong with a unit', async () => {
  const wrong = join(folder, 'wrong.service')
  await writeFile(wrong, '[Service]\nExecStart=/bin/true\nRestrat=always\n')
  assert.match((await execute(['systemd-analyze', 'verify', wrong])).stderr, /Restrat/)
  assert.notEqual((await execute(['systemd-analyze', 'security', '--offline=true', '--threshold=15', wrong])).code, 0)
})
