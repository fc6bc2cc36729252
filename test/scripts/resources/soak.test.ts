/** The watch of a new release: when it is planned, and what the script on the host lets pass, with a systemctl that says what each row says. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { GetFact } from '../../../scripts/core/host.ts'
import { soak } from '../../../scripts/resources/soak.ts'
import { scratch } from '../known-host.ts'

const path = join(import.meta.dirname, '../../../scripts/watch-instances.sh')
const script = readFileSync(path, 'utf8')
const options = { version: '2', instances: ['tappass@1.service'], serving: 'serving', seconds: 60, script }

/** A host: where the link leads, which processes the mark names, and which ones run. */
const hostOf =
  (current: string | undefined, mark: string | undefined, processes: string): GetFact =>
  async ({ query }) =>
    (query.argv.includes('mark') ? processes : query.argv.join(' ').includes('soaked') ? mark : current) as never

const running = '2 tappass@1.service 42\n'
const plans = [
  { name: 'another release is in force', host: hostOf('/opt/tappass/releases/1', undefined, running), is: 1 },
  { name: 'these very processes were watched', host: hostOf('/opt/tappass/releases/1', running, running), is: 0 },
  { name: 'another process was', host: hostOf('/opt/tappass/releases/1', '2 tappass@1.service 41\n', running), is: 1 },
  { name: 'it is in force', host: hostOf('/opt/tappass/releases/2', undefined, running), is: 0 },
  { name: 'nothing was in force before', host: hostOf(undefined, undefined, running), is: 0 },
]
for (const { name, host, is } of plans)
  test(`soak: ${name}: ${is} changes`, async () => assert.equal((await soak(options).plan(host)).length, is))

/** What systemctl says at the first look, and at later ones. */
type Said = Readonly<{ pid?: number; restarts?: number; active?: string; status?: string }>
const well = 'serving http://localhost; 0 in flight, 100 calls, 0 failed'
const linesOf = ({ pid = process.pid, restarts = 0, active = 'active', status = well }: Said) =>
  `MainPID=${pid}\nNRestarts=${restarts}\nActiveState=${active}\nStatusText=${status}\nMemoryMax=1073741824\n`

/** Runs the script with a `systemctl` that counts how often it was asked, and a `sleep` that does not wait. */
function watch(context: TestContext, first: Said, later: Said, seconds: number) {
  const folder = scratch(context)
  writeFileSync(join(folder, 'first'), linesOf(first))
  writeFileSync(join(folder, 'later'), linesOf(later))
  const systemctl = `#!/bin/sh
case $* in *--value*) echo ${process.pid}; exit ;; esac
if [ -e '${folder}/asked' ]; then cat '${folder}/later'; else : >'${folder}/asked'; cat '${folder}/first'; fi\n`
  for (const [name, text] of Object.entries({ systemctl, sleep: '#!/bin/sh\nexit 0\n' })) {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), 0o755)
  }
  const mark = join(folder, 'run', 'soaked')
  const words = ['watch', '2', String(seconds), mark, 'serving', 'tappass@1.service']
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
  const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...words], { env, encoding: 'utf8' })
  return { status, stderr, mark: existsSync(mark) ? readFileSync(mark, 'utf8') : undefined }
}

const passing = [
  { name: 'one that goes on serving', later: {} },
  { name: 'four failed calls', later: { status: 'serving x; 0 in flight, 104 calls, 4 failed' } },
  { name: 'one failed call in twenty', later: { status: 'serving x; 0 in flight, 300 calls, 10 failed' } },
]
for (const { name, later } of passing)
  test(`soak: ${name} passes, and the mark names its process`, (context) =>
    assert.deepEqual(watch(context, {}, later, 0), {
      status: 0,
      stderr: '',
      mark: `2 tappass@1.service ${process.pid}\n`,
    }))

const failing = [
  { name: 'another process', later: { pid: 1 }, says: /its process ended/ },
  { name: 'a restart', later: { restarts: 1 }, says: /its process ended \(1 restarts\)/ },
  {
    name: 'one that is unwell for three looks',
    later: { status: 'unhealthy: redis' },
    says: /: unhealthy: redis \(active\)/,
  },
  {
    name: 'more failed calls',
    later: { status: 'serving x; 0 in flight, 150 calls, 5 failed' },
    says: /5 of 50 calls failed by its own fault/,
  },
]
for (const { name, later, says } of failing)
  test(`soak: ${name} fails, and leaves no mark`, (context) => {
    const { status, stderr, mark } = watch(context, {}, later, 0)
    assert.deepEqual([status, mark], [1, undefined], stderr)
    assert.match(stderr, /^tappass@1\.service did not stand its time: /)
    assert.match(stderr, says)
  })
