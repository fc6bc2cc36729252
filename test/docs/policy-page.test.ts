/** What the page on writing a policy tells to write passes its own test, and decides so beside the policy that is there. Needs: opa. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { $ } from 'zx'

const root = join(import.meta.dirname, '../..')
const opa = join(process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab', 'go/opa')
const page = readFileSync(join(root, 'docs/how-to/write-a-policy.md'), 'utf8')
const files = [...page.matchAll(/^```rego title="(.+)"\n([\s\S]*?)^```$/gm)]

const run = $({ quiet: true })
const folder = mkdtempSync(join(tmpdir(), 'tappass-policy-page-'))
after(() => rmSync(folder, { recursive: true }))
cpSync(join(root, 'server/policy'), folder, { recursive: true })
for (const [, path = '', text = ''] of files) writeFileSync(join(folder, basename(path)), text)

test('the page holds three rules, and the tests of two', () => {
  assert.deepEqual(
    files.map(([, path]) => path),
    ['models', 'models_test', 'unread', 'outward', 'outward_test'].map((name) => `server/policy/${name}.rego`),
  )
})

test('the policy’s tests and the page’s pass together', async () => {
  const ran: readonly Readonly<{ package: string }>[] = await run`${opa} test --format=json ${folder}`.json()
  const countOf = (name: string): number => ran.filter((one) => one.package === `data.tappass.${name}`).length
  assert.deepEqual([countOf('models_test'), countOf('outward_test')], [2, 1])
})

test('what the page writes is formatted, and compiles without a warning', async () => {
  await run`${opa} fmt --fail --list ${folder}`
  await run`${opa} check --strict ${folder}`
})
