/**
 * A disk that fills, for real: PostgreSQL and the gateway on a file system of their own in memory. While only the reserve is left calls are refused and that is recorded;
 * when nothing is left they are refused; with room all is back by itself, and the ledger is whole. No machine is booted. Needs: lab, postgres.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute } from './execution.ts'

/** PostgreSQL's new cluster and its log take some 60 MB. */
const MEGABYTES = 300

test('calls are refused before the disk is full, the refusals are recorded, nothing is damaged, and all is back by itself', async (context) => {
  const program = join(import.meta.dirname, 'small-disk.ts')
  const script = `mount -t tmpfs -o size=${MEGABYTES}m,mode=1777 tmpfs /mnt && TMPDIR=/mnt exec "$0" --disable-warning=ExperimentalWarning "$1"`
  const { code, stdout, stderr } = await execute(
    ['sh', '-c', 'exec unshare --mount sh -c "$@"', 'sh', script, process.execPath, program],
    {
      timeoutMs: 240_000,
    },
  )
  assert.equal(code, 0, stderr)
  context.diagnostic(stdout)
  const { first, decisions, full, verified } = JSON.parse(stdout) as {
    first: number
    decisions: readonly string[]
    full: readonly number[]
    verified: string
  }
  assert.equal(first, 200)
  assert.ok(decisions.includes('block'), `${decisions}`)
  assert.deepEqual(full, [503])
  assert.match(verified, /^intact: /)
})
