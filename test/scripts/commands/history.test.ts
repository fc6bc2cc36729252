/** `history`, `at`, `why`, and plans on file, typed as a user would, against this machine over a real sshd. Nothing is changed by these tests. Needs: sshd. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { writePlanFile } from '../../../scripts/converge/plan-file.ts'
import { typeCommand } from '../command-line.ts'
import { type SshServer, startSshServer } from '../runners/ssh-server.ts'

let server: SshServer
let access: readonly string[]
const folder = mkdtempSync(join(tmpdir(), 'tappass-plans-'))
before(async () => {
  server = await startSshServer()
  const host = `${server.address.user}@127.0.0.1:${server.address.port}`
  access = ['--host', host, '--identity', server.file('identity'), '--known-hosts', server.file('known_hosts')]
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.stop()
})

const typed = async (...words: readonly string[]) => {
  const command = typeCommand(words)
  const code = await command.code
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

const rows: readonly (readonly [name: string, words: readonly string[], code: number, says: RegExp])[] = [
  ['a host without a log', ['history'], 0, /no run is in the log/],
  ['a run that there is not', ['at', '3'], 1, /there is no run 3\n.*no run is in the log of this host/],
  ['a number that is none', ['at', '0'], 64, /"0" is no number of a run/],
  ['a number that is none either', ['at', '1e3'], 64, /"1e3" is no number of a run/],
  ['no number', ['at'], 64, /at/],
  ['a run that there is not, restored', ['at', '3', '--restore', '--yes'], 1, /there is no run 3/],
  [
    'a file of a run that is restored',
    ['at', '3', '--restore', '--file', '/x'],
    64,
    /"--file" says nothing beside "--restore"/,
  ],
  ['other settings for it', ['at', '3', '--restore', '--config', 'x'], 64, /cannot read .*x|"--config" says nothing/],
  ['a file that no run has written', ['why', '/etc/hostname'], 1, /no run in the log has written \/etc\/hostname/],
  ['a path that is not absolute', ['why', 'hostname'], 64, /"hostname" is no absolute path/],
]

/** The log is root's: whoever runs the tests as somebody else is told so by the host itself. */
const REFUSED = [5, /root privileges required/] as const
const isRoot = process.getuid?.() === 0

for (const [name, words, code, says] of rows) {
  test(`${words[0]}: ${name}`, async () => {
    const output = await typed(...words, ...access)
    const [expectedCode, expected] = isRoot || code === 64 ? ([code, says] as const) : REFUSED
    assert.equal(output.code, expectedCode, output.stderr)
    assert.match(output.stdout + output.stderr, expected)
  })
}

/** Asks for more disk than any machine has: the host is refused in any case. */
const impossible = () => ['--config', server.file('host.yaml', 'preflight: { diskFreeMegabytesMin: 1000000000 }\n')]

test('plan --out: of a host that is refused there is no plan, and no file', async () => {
  const path = join(folder, 'refused.plan')
  const { code, stderr } = await typed('plan', ...access, ...impossible(), '--out', path)
  assert.deepEqual([code, existsSync(path)], [5, false], stderr)
  assert.match(stderr, /refused\.plan is not written: there is no plan of \S+@127\.0\.0\.1/)
})

test('plan --out: a rotation is no part of a plan on file', async () => {
  const { code, stderr } = await typed('plan', '--rotate', 'tappass-jwt-secret', '--out', join(folder, 'x.plan'))
  assert.equal(code, 64)
  assert.match(stderr, /a rotation is no part of that/)
})

test('bootstrap --plan: no file, no plan, a plan of another release or of another host: nothing is asked of the host but its settings', async () => {
  const release = join(folder, 'release.plan')
  await writePlanFile(release, { createdAt: 'now', release: '0.0.0-0', salt: 's', hosts: {} })
  for (const [path, code, says] of [
    [join(folder, 'none'), 64, /cannot read/],
    ['package.json', 64, /is no plan of this version/],
    [release, 5, /the release is not the planned one\n(?:.*\n)*.*planned 0\.0\.0-0, now /],
  ] as const) {
    const output = await typed('bootstrap', ...access, ...impossible(), '--yes', '--plan', path)
    assert.equal(output.code, code, output.stderr)
    assert.match(output.stderr, says)
    assert.match(output.stderr, /next:/)
    assert.doesNotMatch(output.stderr, /not enough disk/)
  }
})
