/** `sudo ./bootstrap.sh` on the machine itself, from a fresh clone, and the same server seen over SSH afterwards. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { AUTHORITIES, layClone, layFile } from './clone.ts'
import { readPins } from './pin.ts'
import { ensureNodeArchive } from './program.ts'
import { bareServer, bootstrap, inside, mainPids, plan, type Server, untilHealthy } from './server.ts'

let server: Server

const toMachine = (from: string, to: string): Promise<void> => layFile(server.machine, from, to)

/** Every archive that the spec names, where the machine finds it under the same name; and the spec. */
const layArchives = async (): Promise<void> => {
  const spec = parse(await readFile(server.specPath, 'utf8')) as Record<string, Record<string, { archive: string }>>
  const holders = [spec['images']?.['postgres'], spec['images']?.['redis'], spec['node'], spec['caddy']]
  for (const { archive } of holders as { archive: string }[]) await toMachine(archive, archive)
  await toMachine(server.specPath, '/root/host.yaml')
}

/**
 * Node 26 needs libatomic1, which the machine lacks, so the launcher takes the other pinned one; vendors' sites are out of reach here,
 * and the way to the package registry is under an authority of this workplace's own.
 */
const bootstrapHere = async (): Promise<string> =>
  inside(
    server,
    `cd /root/tappass
    export NODE_EXTRA_CA_CERTS=/root/authorities.crt TAPPASS_NODE_URL=file:///root/node.tar.gz
    export TAPPASS_NODE_SHA256=$(sha256sum /root/node.tar.gz | cut -d ' ' -f 1)
    ./bootstrap.sh --config /root/host.yaml --yes 2>&1`,
  )

before(async () => {
  server = await bareServer('proof-here')
  const { node } = await readPins()
  const other = node[1]
  assert.ok(other)
  await toMachine(await ensureNodeArchive(other), '/root/node.tar.gz')
  await toMachine(AUTHORITIES, '/root/authorities.crt')
  await layArchives()
  await layClone(server.machine, '/root/tappass')
})
after(() => server?.close())

test('a fresh clone on a bare machine: one command to a healthy server, the administrator’s key is shown once', async () => {
  const said = await bootstrapHere()
  await untilHealthy(server)
  assert.equal(said.match(/\btp_[A-Za-z0-9_-]{43}\b/g)?.length, 1, 'the key is not there once')
})

test('a second run changes nothing, restarts nothing and shows no key; over SSH there is nothing to do either', async () => {
  const pids = await mainPids(server)
  const said = await bootstrapHere()
  assert.doesNotMatch(said, /\btp_[A-Za-z0-9_-]{43}\b/)
  assert.deepEqual((await plan(server)).code, 0)
  await bootstrap(server)
  assert.deepEqual(await mainPids(server), pids)
})
