/** Where `tappass migrate` looks, as rows; and the script for a host, run by a real shell with stand-ins. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import {
  environmentFromFolder,
  environmentFromProcess,
  processCommand,
} from '../../../scripts/control/process-target.ts'

describe('the environment around', () => {
  const rows: readonly Readonly<{
    around: Readonly<Record<string, string>>
    is: Readonly<Record<string, string>> | undefined
  }>[] = [
    { around: {}, is: undefined },
    { around: { TAPPASS_DATA_DIR: '/x', DATABASE_URL: '' }, is: undefined },
    {
      around: { DATABASE_URL: 'postgresql://a@b/c', OPENAI_API_KEY: 'k', HOME: '/h' },
      is: { DATABASE_URL: 'postgresql://a@b/c', HOME: '/h' },
    },
    {
      around: { SUPABASE_URL: 'postgresql://a@b/c', SUPABASE_KEY_FILE: '/f' },
      is: { SUPABASE_URL: 'postgresql://a@b/c', SUPABASE_KEY_FILE: '/f' },
    },
  ]
  for (const { around, is } of rows)
    test(JSON.stringify(around), () => assert.deepEqual(environmentFromProcess(around), is))
})

describe('a data folder', () => {
  const rows: readonly Readonly<{
    answers: Readonly<Record<string, unknown>> | undefined
    is: Readonly<Record<string, string>>
  }>[] = [
    {
      answers: undefined,
      is: { TAPPASS_STORAGE: 'local', TAPPASS_DATA_DIR: '/d/database', TAPPASS_CHECKPOINT_DIR: '/d/checkpoints' },
    },
    {
      answers: { storage: 'local' },
      is: { TAPPASS_STORAGE: 'local', TAPPASS_DATA_DIR: '/d/database', TAPPASS_CHECKPOINT_DIR: '/d/checkpoints' },
    },
    {
      answers: { storage: 'supabase', supabaseUrl: 'postgresql://a@b/c' },
      is: { TAPPASS_STORAGE: 'supabase', SUPABASE_URL: 'postgresql://a@b/c', CREDENTIALS_DIRECTORY: '/d/secrets' },
    },
  ]
  for (const { answers, is } of rows) {
    test(JSON.stringify(answers ?? null), () => {
      assert.deepEqual(environmentFromFolder({ DATABASE_URL: 'postgresql://other' }, '/d', answers), is)
    })
  }
})

describe('on a host', () => {
  /** Runs the script with a systemd-run that prints its words, and with files that are said to be there. */
  const playWith = (isElsewhere: boolean, words: readonly string[], entry: string, ...there: readonly string[]) => {
    const script = String(processCommand(entry, words, 'read', './tappass bootstrap --host a@b').stdin).replace(
      'exec systemd-run',
      'systemd_run',
    )
    const paths = there.map((path) => `"${path}"`).join('|') || '""'
    const looked = script.replaceAll(/\[ -e '?([^' ]+)'? \]/g, `is_there "$(printf %s '$1')"`)
    const isThere = `is_there() { case "$1" in ${paths}) return 0;; *) return 1;; esac; }\n`
    const settings = `grep() { [ "$*" = '-q ^DATABASE_URL= /etc/tappass/gateway.env' ] && return ${isElsewhere ? 1 : 0}; }\n`
    const run = `${settings}systemd_run() { for word in "$@"; do printf '%s\\n' "$word"; done; }\n`
    try {
      return {
        code: 0,
        lines: execFileSync('sh', ['-s'], { input: run + isThere + looked, encoding: 'utf8' })
          .trim()
          .split('\n'),
      }
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: Buffer }
      return { code: status, lines: [String(stderr)] }
    }
  }
  const play = (words: readonly string[], entry: string, ...there: readonly string[]) =>
    playWith(false, words, entry, ...there)
  const program = '/opt/tappass/current/server/migrate.ts'
  const [encrypted, plain] = ['/etc/credstore.encrypted/postgres-password', '/etc/credstore/postgres-password']
  const owner = '/etc/credstore.encrypted/postgres-owner-password'

  test('without TapPass it says so', () => {
    const { code, lines } = play(['status'], 'server/migrate.ts')
    assert.equal(code, 5)
    assert.match(lines.join('\n'), /not installed on this host\n {2}next: {2}\.\/tappass bootstrap --host a@b\n/)
  })

  const credentials = [
    { there: [program, encrypted, plain], line: `--property=LoadCredentialEncrypted=postgres-password:${encrypted}` },
    { there: [program, plain], line: `--property=LoadCredential=postgres-password:${plain}` },
    { there: [program, encrypted, owner], line: `--property=LoadCredentialEncrypted=postgres-owner-password:${owner}` },
  ]
  for (const { there, line } of credentials) {
    test(`with ${there.length - 1} credential files it takes ${line.slice(11, 35)}, as the account tappass`, () => {
      const { code, lines } = play(['baseline', '--at', "01'2"], 'server/migrate.ts', ...there)
      assert.equal(code, 0)
      for (const part of [
        line,
        '--property=User=tappass',
        '--property=EnvironmentFile=/etc/tappass/gateway.env',
        '--wait',
        '--pipe',
      ])
        assert.ok(lines.includes(part), part)
      const node = '/opt/tappass/node/current/bin/node'
      assert.deepEqual(lines.slice(lines.indexOf(node)), [node, 'server/migrate.ts', 'baseline', '--at', "01'2"])
    })
  }

  test('a process that only reads does not get the password of the owner', () => {
    const there = ['/opt/tappass/current/server/audit.ts', encrypted, owner]
    const credentials = play(['verify'], 'server/audit.ts', ...there).lines.filter((line) =>
      line.includes('Credential'),
    )
    assert.deepEqual(credentials, [`--property=LoadCredentialEncrypted=postgres-password:${encrypted}`])
  })

  const at = (id: string) => `/etc/credstore.encrypted/${id}`
  const elsewhere = [
    { entry: 'server/migrate.ts', ids: ['database-url', 'database-ca', 'database-owner-url'] },
    { entry: 'server/audit.ts', ids: ['database-url', 'database-ca'] },
  ]
  for (const { entry, ids } of elsewhere)
    test(`with a database elsewhere ${entry} gets its address, no password of the host's own, and a network`, () => {
      const stored = [at('database-url'), at('database-ca'), at('database-owner-url'), encrypted, owner]
      const { lines } = playWith(true, ['status'], entry, `/opt/tappass/current/${entry}`, ...stored)
      const given = lines.flatMap((line) => /LoadCredentialEncrypted=([^:]+)/.exec(line)?.[1] ?? [])
      assert.deepEqual(given, ids)
      assert.ok(lines.includes('--property=RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX'))
    })

  test('with a database of its own there is no network, and no address that was stored before', () => {
    const { lines } = play(['status'], 'server/migrate.ts', program, encrypted, at('database-url'))
    assert.ok(lines.includes('--property=RestrictAddressFamilies=AF_UNIX'))
    assert.equal(
      lines.some((line) => line.includes('database-url')),
      false,
    )
  })
})
