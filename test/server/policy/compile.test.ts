/** With the compiler at hand: the committed policy is what its sources give, and the policy's own tests pass. Needs: opa. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compilePolicy, lockText } from '../../../server/policy/build.ts'

const folder = join(import.meta.dirname, '../../../server/policy')
const opa = join(process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab', 'go/opa')

test('compiled again, the policy and its lock are what is committed, byte for byte', () => {
  const { wasm, lock } = compilePolicy(folder, opa)
  assert.equal(Buffer.from(wasm).equals(readFileSync(join(folder, 'policy.wasm'))), true)
  assert.equal(lockText(folder, lock), readFileSync(join(folder, 'policy.lock.json'), 'utf8'))
})

test('the policy’s own tests pass, and there are some', () => {
  const { status, stdout, stderr } = spawnSync(opa, ['test', '--format=json', folder], { encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
  const results = JSON.parse(stdout) as readonly Readonly<{ fail?: boolean }>[]
  assert.equal(results.length > 0, true)
  assert.deepEqual(
    results.filter(({ fail }) => fail === true),
    [],
  )
})
