/**
 * The vendors' own ways: the default specification, without `--config`, on a machine for which the lab host answers under the vendors' names.
 * The clone has the pins of the lab's artifacts; nothing else in it differs.
 */
import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bareServer, inside, machineWords, repository, type Server, toolkit, untilHealthy } from './server.ts'
import { makeVendorClone } from './vendor/clone.ts'
import { askedBy } from './vendor/setting.ts'

let server: Server
let root: string

before(async () => {
  server = await bareServer('proof-vendors', 0, { hasVendors: true })
  root = join(server.folder, 'clone')
  await makeVendorClone(root)
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'))
})
after(() => server?.close())

const run = (verb: string, ...words: readonly string[]) =>
  toolkit([verb, ...machineWords(server), '--json', ...words], 600_000, root)

test('the default specification makes a server of a bare machine by what the vendors give, and then there is nothing to do', async () => {
  const { code, stdout, stderr } = await run('bootstrap', '--yes')
  assert.equal(code, 0, `${stdout.slice(-4000)}${stderr}`)
  await untilHealthy(server)
  assert.equal((await run('plan')).code, 0)
  const names = new Set((await askedBy(server.machine)).map(({ address }) => address.split('/')[0]))
  assert.deepEqual([...names].toSorted(), [
    'auth.docker.io',
    'download.docker.com',
    'github.com',
    'nodejs.org',
    'production.cloudflare.docker.com',
    'registry-1.docker.io',
    'release-assets.githubusercontent.com',
  ])
  const installed = await inside(
    server,
    "dpkg-query -W -f '${Package} ${Maintainer}\\n' docker-ce docker-ce-cli containerd.io",
  )
  assert.equal(installed.match(/TapPass lab/g)?.length, 3, installed)
})
