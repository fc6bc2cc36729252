/** `tappass backup`: a recovery key of one's own, and what is wrong with words before any host is connected to. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseIdentity, parseRecipient } from '../../../contract/recovery-key.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { typeCommand } from '../command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-backup-command-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const backup = async (...words: readonly string[]) => {
  const typed = typeCommand(['backup', ...words], { workingFolder: folder })
  const code = await typed.code
  return { code, stdout: typed.stdout(), stderr: typed.stderr() }
}

test('backup key create: the public half is printed, the private one is in a file for its owner only', async () => {
  const { code, stdout, stderr } = await backup('key', 'create', '--out', 'recovery.key')
  assert.equal(code, 0, stderr)
  const path = join(folder, 'recovery.key')
  const text = readFileSync(path, 'utf8')
  assert.equal(parseIdentity(text)?.recipient, stdout.trim())
  assert.equal(parseRecipient(stdout), stdout.trim())
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.ok(!(stdout + stderr).includes(parseIdentity(text)?.identity ?? ''))
  const again = await backup('key', 'create', '--out', 'recovery.key')
  assert.equal(again.code, 5)
  assert.match(again.stderr, /there is something already/)
  assert.equal(readFileSync(path, 'utf8'), text)
  assert.equal(parseHostSpec({ backup: { recoveryKey: stdout.trim() } }, 'x').backup.recoveryKey, stdout.trim())
})

const wrong: readonly Readonly<{ words: readonly string[]; says: RegExp }>[] = [
  { words: ['key', 'create'], says: /needs "--out"/ },
  { words: ['key', 'show', '--out', 'f'], says: /takes "create"/ },
  { words: ['restore'], says: /SET/ },
  { words: ['restore', 'x', '--database', 'tappass'], says: /can't be the name of a restored database/ },
  { words: ['restore', 'x', '--database', 'tappass_proof'], says: /can't be the name of a restored database/ },
  { words: ['restore', 'x', '--database', 'x; DROP'], says: /can't be the name of a restored database/ },
  { words: ['restore', '--onto', 'root@new'], says: /recovery key/ },
  { words: ['restore', '--onto', 'root@new', '--to', 'latest'], says: /recovery key/ },
  {
    words: ['restore', '--onto', 'root@new', '--to', 'yesterday'],
    says: /needs a time with its zone, not "yesterday"/,
  },
  { words: ['restore', '--to', 'latest'], says: /needs a time with its zone, not "latest"/ },
  { words: ['restore', '--onto', 'root@new', '--host', 'root@old'], says: /"--host" says nothing beside "--onto"/ },
  { words: ['restore', '--onto', 'root@new', '--database', 'tappass_x'], says: /"--database" says nothing/ },
  { words: ['restore', '--onto', 'root@new', '--recovery-key', 'none'], says: /cannot read the recovery key/ },
  { words: ['verify', '--key', 'mine.pem'], says: /whole path on the server/ },
]
for (const { words, says } of wrong)
  test(`backup ${words.join(' ')}: a usage error, and no host is connected to`, async () => {
    const { code, stderr } = await backup(...words)
    assert.equal(code, 64, stderr)
    assert.match(stderr, says)
  })

test('settings: a recovery key that is none, or the private half, is refused', () => {
  for (const recoveryKey of ['age1nothing', 'AGE-SECRET', '', 'age1nothing,age1more']) {
    assert.throws(
      () => parseHostSpec({ backup: { recoveryKey } }, 'x'),
      (error) => /recovery key, age1/.test(JSON.stringify((error as Failure).text)),
    )
  }
})
