/**
 * `./tappass test` on a fresh machine with curl, tar and git, typed by an ordinary user: it passes, and says what it left
 * out. What a test needs and does not state fails here. It is CI's run on the older of the pinned Nodes, too: that runs
 * nowhere else what the machine can run (scripts/testing/test-plan.ts). Takes 9 minutes.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BARE_NEEDS, NEEDS } from '../../scripts/testing/need.ts'
import { listTestFiles } from '../../scripts/testing/test-file.ts'
import { AUTHORITIES, layClone, layFile } from './clone.ts'
import { down, type Machine, run, up } from './machine.ts'
import { readPins } from './pin.ts'
import { ensureNodeArchive } from './program.ts'
import { claimName, repository } from './server.ts'

/** Vendors' sites are out of reach here: the launcher is given an archive as theirs, of the Node that starts without libatomic1. */
const TYPED = `cd /home/dev/tappass && runuser -u dev -- env -i HOME=/home/dev PATH=/usr/bin:/bin:/usr/sbin TAPPASS_TEST_ROUNDS=1 \\
  NODE_EXTRA_CA_CERTS=/home/dev/authorities.crt TAPPASS_NODE_URL=file:///home/dev/node.tar.gz \\
  TAPPASS_NODE_SHA256=$(sha256sum /home/dev/node.tar.gz | cut -d ' ' -f 1) ./tappass test 2>&1`

let machine: Machine | undefined
let version = ''

before(async () => {
  const name = await claimName('proof-tests')
  await down(name)
  machine = await up(name)
  const install = 'apt-get update -q && apt-get install -yq --no-install-recommends git && useradd --create-home dev'
  assert.equal((await run(machine, install)).code, 0)
  const node = (await readPins()).node[1]
  assert.ok(node)
  version = node.version
  await layFile(machine, await ensureNodeArchive(node), '/home/dev/node.tar.gz')
  await layFile(machine, AUTHORITIES, '/home/dev/authorities.crt')
  await layClone(machine, '/home/dev/tappass')
  await run(machine, 'chown -R dev: /home/dev')
})
after(async () => {
  if (machine !== undefined) await down(machine.name)
})

test('the README’s second command passes, and names each file that it left out, and why', async () => {
  assert.ok(machine)
  const { code, stdout } = await run(machine, TYPED)
  const said = stdout.slice(-20_000)
  assert.equal(code, 0, said)
  assert.match(stdout, /\n[1-9]\d{3} tests on Node [\d.]+\n[1-9]\d{3} passed, 0 failed\n$/, said)
  assert.ok(stdout.includes(` tests on Node ${version}\n`), said)
  const lines = [...stdout.matchAll(/^left out: (.*?): (.*)$/gm)]
  const leftOut = lines.flatMap(([, files = '']) => files.split(', '))
  const unfit = listTestFiles(repository).filter(({ needs }) => needs.some((need) => !BARE_NEEDS.includes(need)))
  assert.deepEqual(leftOut.toSorted(), unfit.map(({ path }) => path).toSorted(), said)
  for (const program of ['redis-server', 'busybox', 'shellcheck']) {
    assert.ok(
      lines.some(([, , reason = '']) => reason.includes(`${program} not found; apt-get install ${program}`)),
      said,
    )
  }
})

test('every need is shown as met or missing', async () => {
  assert.ok(machine)
  const { stdout } = await run(machine, TYPED.replace('test 2>&1', 'test --needs'))
  const met = [...stdout.matchAll(/^([a-z\d-]+): met$/gm)].map(([, name]) => name)
  assert.deepEqual(met.toSorted(), BARE_NEEDS)
  assert.equal(stdout.match(/^[a-z\d-]+: /gm)?.length, Object.keys(NEEDS).length + 1)
})
