/** Which data SPIRE's server may go on with: rows of trust domains and versions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { contentFact, type PathState, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { spireAuthority } from '../../../scripts/resources/spire-authority.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const resource = spireAuthority({ trustDomain: 'example.org', version: '1.15.3' })
const standing = { kind: 'file', mode: '0600', owner: 'x', group: 'x', uid: 1, gid: 1, bytes: 9 } as const

const refusalOf = async (data: PathState, domain: string | undefined, version: string | undefined): Promise<string> => {
  const facts = factReaderOf([
    factRow(pathFact('/var/lib/tappass/spire-server/keys.json'), data),
    factRow(contentFact('/etc/tappass/spire/server.conf'), domain && `server {\n    trust_domain = "${domain}"\n`),
    factRow(targetFact('/opt/tappass/spire/current'), version && `/opt/tappass/spire/${version}`),
  ])
  try {
    assert.deepEqual(await resource.plan(facts), [])
    return ''
  } catch (error) {
    if (error instanceof Failure && error.code === 5) return error.text.what
    throw error
  }
}

const rows: readonly (readonly [
  name: string,
  domain: string | undefined,
  version: string | undefined,
  says: string,
])[] = [
  ['the same', 'example.org', '1.15.3', ''],
  ['an older patch', 'example.org', '1.15.0', ''],
  ['the minor version before', 'example.org', '1.14.5', ''],
  ['two minor versions before', 'example.org', '1.13.3', "SPIRE 1.13.3 can't become 1.15.3 at once"],
  ['two minor versions later', 'example.org', '1.17.0', "SPIRE 1.17.0 can't become 1.15.3 at once"],
  ['another major version', 'example.org', '2.15.0', "SPIRE 2.15.0 can't become 1.15.3 at once"],
  ['another trust domain', 'example.com', '1.15.3', 'this host issues identities of example.com, not of example.org'],
  ['settings that are gone', undefined, undefined, ''],
]

for (const [name, domain, version, says] of rows) {
  test(`SPIRE authority: ${name}`, async () => assert.equal(await refusalOf(standing, domain, version), says))
}

test('SPIRE authority: before it has issued anything, everything goes', async () => {
  assert.equal(await refusalOf({ kind: 'absent' }, 'example.com', '0.1.0'), '')
})
