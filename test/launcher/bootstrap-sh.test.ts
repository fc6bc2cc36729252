/** `bootstrap.sh` on a machine without curl whose apt is busy. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { locate } from './world.ts'

const REAL = ['sh', 'cat', 'dirname', 'env', 'grep', 'mktemp', 'rm', 'sed', 'tar', 'timeout', 'tr']

/** `uid` is who starts it, `variables` its environment; `cloudInit` is a script in the place of cloud-init, which is waited for no second here. */
type Start = Readonly<{
  uid?: number
  variables?: Readonly<Record<string, string>>
  cloudInit?: string
  words?: readonly string[]
}>

/** Runs it with an apt-get that fails so often with that message, and returns what apt-get was called with. */
function bootstrapWith(
  context: TestContext,
  failures: number,
  message: string,
  { uid = 0, variables = {}, cloudInit, words = ['--yes'] }: Start = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-bootstrap-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const programs = join(folder, 'bin')
  mkdirSync(programs)
  const program = (path: string, text: string): void => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
  }
  for (const name of REAL) symlinkSync(locate(name), join(programs, name))
  program(join(programs, 'id'), `case $1 in -u) echo ${uid} ;; *) echo somebody ;; esac`)
  program(join(programs, 'sleep'), 'exit 0')
  program(
    join(programs, 'apt-get'),
    `echo "$*" >>"${folder}/calls"; env | grep -i _proxy >"${folder}/proxy"; : >>"${folder}/failed"
if [ "$(grep -c . "${folder}/failed")" -lt ${failures} ]; then echo x >>"${folder}/failed"; echo "${message}" >&2; exit 100; fi`,
  )
  program(join(folder, 'tappass'), 'echo "tappass $*"')
  mkdirSync(join(folder, 'scripts'))
  for (const path of ['bootstrap.sh', 'scripts/first-boot.sh'])
    copyFileSync(join(import.meta.dirname, '../..', path), join(folder, path))
  if (cloudInit !== undefined) {
    program(join(programs, 'cloud-init'), `folder=${folder}\n${cloudInit}`)
    const path = join(folder, 'scripts/first-boot.sh')
    const text = readFileSync(path, 'utf8').replaceAll('/run/cloud-init', `${folder}/none`)
    writeFileSync(
      path,
      text.replace(
        'until_seconds=$(($(uptime_seconds) + 600))\n  while [ "$(cloud',
        'until_seconds=$(($(uptime_seconds) + 1))\n  while [ "$(cloud',
      ),
    )
  }
  const { status, stdout, stderr } = spawnSync(join(programs, 'sh'), [join(folder, 'bootstrap.sh'), ...words], {
    env: { PATH: programs, ...variables },
    encoding: 'utf8',
  })
  const linesOf = (name: string) => {
    const path = join(folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
  }
  return { status, stdout, stderr, calls: linesOf('calls'), proxy: linesOf('proxy').toSorted() }
}

for (const message of [
  'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (apt-get)',
  'E: Unable to lock directory /var/lib/apt/lists/',
  'dpkg: error: dpkg frontend lock was locked by another process with pid 99',
]) {
  test(`bootstrap.sh waits while apt is busy: ${message}`, (context) => {
    const { status, stdout, stderr, calls } = bootstrapWith(context, 3, message)
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'tappass bootstrap --yes\n')
    assert.equal(calls.filter((call) => call.endsWith('update')).length, 4)
    assert.match(calls.at(-1) ?? '', /--no-remove .*install curl/)
  })
}

test('bootstrap.sh waits for nothing else, and does not go on', (context) => {
  const { status, stdout, stderr, calls } = bootstrapWith(context, 1, 'E: The repository is not signed')
  assert.notEqual(status, 0)
  assert.equal(calls.length, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /not signed/)
})

for (const words of [
  ['--bundle', 'b.tar'],
  ['--yes', '--bundle=b.tar'],
]) {
  test(`bootstrap.sh ${words.join(' ')}: apt is asked for nothing`, (context) => {
    const { status, stdout, calls } = bootstrapWith(context, 0, '', { words })
    assert.deepEqual([status, stdout, calls], [0, `tappass bootstrap ${words.join(' ')}\n`, []])
  })
}

test('bootstrap.sh gives up at last', (context) => {
  const { status, calls } = bootstrapWith(context, 1000, 'E: Could not get lock /var/lib/dpkg/lock-frontend')
  assert.equal(status, 100)
  assert.equal(calls.length, 301)
})

test('bootstrap.sh waits for cloud-init before it touches apt', (context) => {
  const says = `echo x >>"$folder/asked"; [ "$(grep -c . "$folder/asked")" -gt 3 ] && echo 'status: done' || echo 'status: running'`
  const { status, stderr, calls } = bootstrapWith(context, 0, '', { cloudInit: says })
  assert.equal(status, 0, stderr)
  assert.match(stderr, /^bootstrap: cloud-init is still setting up this machine; waiting for it/)
  assert.match(calls.at(-1) ?? '', /install curl/)
})

test('bootstrap.sh does not wait for ever for cloud-init, and touches nothing then', (context) => {
  const { status, stderr, calls } = bootstrapWith(context, 0, '', { cloudInit: `echo 'status: running'` })
  assert.equal(status, 5, stderr)
  assert.match(stderr, /still running after 10 minutes\n {2}why: .*\n {2}next: .*cloud-init status --long/)
  assert.deepEqual(calls, [])
})

const [first, second] = ['http://proxy.example:3128', 'http://other.example:8080']
const proxies: readonly Readonly<{ variables: Readonly<Record<string, string>>; seen: readonly string[] }>[] = [
  { variables: {}, seen: [''] },
  { variables: { https_proxy: first, http_proxy: second }, seen: [`http_proxy=${second}`, `https_proxy=${first}`] },
  {
    variables: { HTTPS_PROXY: first, HTTP_PROXY: second, NO_PROXY: 'a.example' },
    seen: [
      `HTTPS_PROXY=${first}`,
      `HTTP_PROXY=${second}`,
      'NO_PROXY=a.example',
      `http_proxy=${second}`,
      `https_proxy=${first}`,
      'no_proxy=a.example',
    ],
  },
  { variables: { https_proxy: first, HTTPS_PROXY: second }, seen: [`HTTPS_PROXY=${second}`, `https_proxy=${first}`] },
  { variables: { http_proxy: "http://o'x:$(id)@h:1" }, seen: ["http_proxy=http://o'x:$(id)@h:1"] },
]

for (const { variables, seen } of proxies) {
  test(`bootstrap.sh: the proxy for apt of ${JSON.stringify(variables)}`, (context) => {
    const { status, stderr, proxy } = bootstrapWith(context, 0, '', { variables })
    assert.equal(status, 0, stderr)
    assert.deepEqual(proxy, seen)
  })
}

test('bootstrap.sh: whoever is not root is told to hand the proxy on, because sudo drops it', (context) => {
  const { status, stderr, calls } = bootstrapWith(context, 0, '', { uid: 1000, variables: { HTTPS_PROXY: first } })
  assert.deepEqual([status, calls], [5, []])
  assert.match(stderr, /next: sudo env https_proxy=http:\/\/proxy\.example:3128 \S*bootstrap\.sh --yes$/m)
  const secret = bootstrapWith(context, 0, '', { uid: 1000, variables: { http_proxy: 'http://me:word@h:1' } })
  assert.match(secret.stderr, /next: sudo --preserve-env=https_proxy,http_proxy\S* \S*bootstrap\.sh --yes$/m)
  assert.doesNotMatch(secret.stderr, /word/)
  const plain = bootstrapWith(context, 0, '', { uid: 1000 })
  assert.match(plain.stderr, /next: sudo \S*bootstrap\.sh --yes$/m)
})
