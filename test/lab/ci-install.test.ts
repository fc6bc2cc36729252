/**
 * What `.ci/run` installs, from nothing, on a fresh Debian 12: afterwards every need of a test is met but for what
 * `test/lab/prepare` builds, and tests that need something run.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AUTHORITIES, layClone, layFile } from './clone.ts'
import type { Output } from './execution.ts'
import { down, type Machine, run, up } from './machine.ts'
import { claimName } from './server.ts'

/** Needs of which a part is built, not installed. */
const BUILT = [
  'kubernetes',
  'lab',
  'opa',
  'otel-collector',
  'postgres',
  's3-store',
  'spire',
  'tlog-check',
  'vendor-node',
]

/** Tests that between them start most of the programs that were installed. */
const NEEDY =
  'test/{launcher/busybox,server/adapters/limiter,scripts/files/diff,scripts/command-line/completion,scripts/runners/ssh}.test.ts'

let machine: Machine | undefined

before(async () => {
  const name = await claimName('proof-install')
  await down(name)
  machine = await up(name, { tree: 'bookworm' })
  await layFile(machine, AUTHORITIES, '/root/authorities.crt')
  await layClone(machine, '/root/tappass')
})
after(async () => {
  if (machine !== undefined) await down(machine.name)
})

async function inClone(command: string): Promise<Output> {
  assert.ok(machine)
  const output = await run(
    machine,
    `cd /root/tappass && NODE_EXTRA_CA_CERTS=/root/authorities.crt PIP_CERT=/root/authorities.crt ${command}`,
  )
  assert.equal(output.code, 0, `${output.stdout.slice(-8000)}${output.stderr.slice(-2000)}`)
  return output
}

test('all that tests need is installed', async () => {
  await inClone('.ci/install')
  const { stdout } = await inClone('./tappass test --needs')
  const missing = [...stdout.matchAll(/^([a-z\d-]+): (?!met$)(.*)$/gm)].filter(([, name]) => name !== 'packages')
  assert.deepEqual(missing.map(([, name]) => name).toSorted(), BUILT, stdout)
  for (const [, , reason] of missing) assert.match(reason ?? '', /^\/[^;]* not found; test\/lab\/prepare makes it$/)
})

test('the first pinned Node is there, and tests that need what was installed pass on it', async () => {
  const { stdout } = await inClone(`./tappass test --only '${NEEDY}'`)
  assert.match(stdout, /\n[1-9]\d+ tests on Node 26\.[\d.]+\n[1-9]\d+ passed, 0 failed\n$/, stdout)
  assert.doesNotMatch(stdout, /not found/)
})

test('a second run installs nothing', async () => {
  const { stdout, stderr } = await inClone(
    'env PATH=/usr/bin:/bin:/usr/sbin:/sbin sh -c "chmod 0 /usr/bin/apt-get && .ci/install"',
  )
  assert.deepEqual([stdout, stderr], ['', ''])
})
