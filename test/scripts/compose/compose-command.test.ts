/** `status`, `doctor` and `logs` with `--compose`, as typed, over a client of Docker that says what a file holds. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { printable } from '../../../scripts/core/printable.ts'
import { typeCommand } from '../command-line.ts'

const COMPOSE = 'name: lab\nservices:\n  gateway: {}\n  postgres: {}\n'
const container = (Service: string, State: string) =>
  JSON.stringify({ ID: `id-${Service}`, Service, State, Health: State === 'running' ? 'healthy' : '' })
const READY = '{"checks":{"database":"ok"}}'

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tappass-compose-'))
  // It writes down what it was asked, and answers from files.
  const script = `#!/bin/sh
echo "$*" >>${folder}/asked
case "$*" in
  *" ps "*) cat ${folder}/ps ;;
  *" logs "*) printf '\\033[2Ka line of\\033[31m the log\\n' ;;
  *" df "*) printf 'Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/x 100 42 58 42%% /data\\n' ;;
  exec*) echo '${READY}' ;;
esac
`
  writeFileSync(join(folder, 'docker'), script)
  chmodSync(join(folder, 'docker'), 0o755)
  writeFileSync(join(folder, 'compose.yaml'), COMPOSE)
  writeFileSync(join(folder, 'none.yaml'), 'nothing: 1\n')
})
after(() => rmSync(folder, { recursive: true, force: true }))

const type = async (
  words: readonly string[],
  states: Readonly<Record<string, string>> = {},
  path = `${folder}:/usr/bin:/bin`,
) => {
  writeFileSync(
    join(folder, 'ps'),
    Object.entries(states)
      .map(([name, state]) => `${container(name, state)}\n`)
      .join(''),
  )
  writeFileSync(join(folder, 'asked'), '')
  const environment = { PATH: path }
  const typed = typeCommand(words, { workingFolder: folder, environment })
  const code = await typed.code
  const asked = readFileSync(join(folder, 'asked'), 'utf8')
  return { code, stdout: typed.stdout(), stderr: typed.stderr(), asked }
}

const RUNNING = { gateway: 'running', postgres: 'running' }

test('status: 0 and a table when all is well, 1 and what to type when it is not', async () => {
  const well = await type(['status', '--compose', 'compose.yaml'], RUNNING)
  assert.equal(well.code, 0, well.stderr)
  assert.match(well.stdout, /^gateway +ok +running, healthy$/m)
  assert.match(well.stdout, /the gateway says: database ok/)
  assert.match(well.asked, /^compose --project-name lab ps --all --format json$/m)
  const unwell = await type(['status', '--compose', 'compose.yaml'], { ...RUNNING, gateway: 'exited' })
  assert.equal(unwell.code, 1)
  assert.match(unwell.stdout, /^gateway +WRONG +exited$/m)
  assert.match(unwell.stderr, /next: {2}tappass doctor --compose compose\.yaml/)
  const json = await type(['status', '--compose', 'compose.yaml', '--json'], RUNNING)
  assert.equal((JSON.parse(json.stdout) as { isHealthy: boolean }).isHealthy, true)
})

test('doctor: names what is wrong with the next command, and says what the disk has left', async () => {
  const { code, stdout } = await type(['doctor', '--compose', 'compose.yaml', '--all'], {
    gateway: 'running',
    postgres: 'running',
  })
  assert.equal(code, 0)
  assert.match(stdout, /^ok +disk: .* \(42 % used\)$/m)
  const wrong = await type(['doctor', '--compose', 'compose.yaml'], { gateway: 'running' })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stdout, /^WRONG +service\.postgres: postgres: it has no container\n +next: {2}docker compose /m)
})

/** No sequence of a container reaches the terminal. */
const SHOWN = `a line of${printable('\u001b[31m')} the log\n`

test('logs: of one service, so many lines, since then', async () => {
  const { code, stdout, asked } = await type([
    'logs',
    'gateway',
    '--compose',
    'compose.yaml',
    '--since',
    '15m',
    '--lines',
    '7',
  ])
  assert.deepEqual([code, stdout], [0, SHOWN])
  assert.equal(asked, 'compose --project-name lab logs --no-color --timestamps --since 900s --tail 7 gateway\n')
})

const REFUSED = [
  ['a service that there is not', ['logs', 'gatewy', '--compose', 'compose.yaml'], 64, /did you mean "gateway"/],
  ['a file that is not there', ['status', '--compose', 'missing.yaml'], 64, /missing\.yaml/],
  ['a file that is another', ['status', '--compose', 'none.yaml'], 64, /no "name"/],
  [
    'hosts as well',
    ['doctor', '--compose', 'compose.yaml', '--host', 'root@x'],
    64,
    /about the containers of this machine/,
  ],
] as const

for (const [name, words, expected, problem] of REFUSED)
  test(`--compose refuses ${name}`, async () => {
    const { code, stderr, asked } = await type(words)
    assert.deepEqual([code, asked], [expected, ''], stderr)
    assert.match(stderr, problem)
  })

test('without Docker it is said what is missing', async () => {
  const { code, stderr } = await type(['status', '--compose', 'compose.yaml'], {}, '/nonexistent')
  assert.equal(code, 5)
  assert.match(stderr, /docker is not on this machine/)
})
