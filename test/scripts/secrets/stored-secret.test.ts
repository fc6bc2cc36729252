/** What a host says of the secrets that it has stored: the question is really asked, of a folder here; and how it is judged and shown. Needs: openssl. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isWell, judgeSecrets, renderSecrets } from '../../../scripts/output/secret-table.ts'
import { storedSecretsFact } from '../../../scripts/secrets/stored-secret.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-secrets-'))
after(() => rmSync(folder, { recursive: true }))

const place = (id: string, value: string | Buffer, storedAt: number): void => {
  writeFileSync(join(folder, id), value)
  utimesSync(join(folder, id), storedAt, storedAt)
}

/** Asks as on a host that can't encrypt: the values are files. */
const ask = () => {
  const [sh, ...words] = storedSecretsFact.query.argv
  const [option, script, name, , , ...ids] = words
  const stdout = execFileSync(sh as string, [option, script, name, join(folder, 'none'), folder, ...ids] as string[], {
    encoding: 'utf8',
  })
  return { stdout, ...storedSecretsFact.parse({ code: 0, stdout, stderr: '' }) }
}

const value = ['open', 'sesame'].join('-')
const token = ['e30', Buffer.from('{"org":"A","tier":"b","expires":"2031-03-01"}').toString('base64url'), 'xx'].join(
  '.',
)

test('what is stored, since when, until when; and no value', () => {
  place('tappass-admin-api-key', value, 1_800_000_000)
  place('tappass-admin-api-key-next', value, 1_800_000_500)
  place('tappass-vault-key', value, 1_500_000_000)
  place('tappass-license', token, 1_700_000_000)
  place('database-url', value, 1_700_000_000)
  place('of-somebody-else', value, 1_700_000_000)
  const certificate = execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'],
    ...['-subj', '/CN=x', '-days', '10'],
  ])
  place('tls-certificate', certificate, 1_700_000_000)
  const { stdout, secrets, now } = ask()
  assert.ok(!stdout.includes(value) && !stdout.includes(token))
  assert.ok(Math.abs(now - Date.now() / 1000) < 60)
  const [certificateRow] = secrets.filter(({ id }) => id === 'tls-certificate')
  assert.ok(Math.abs((certificateRow?.expires ?? 0) - now - 10 * 86_400) < 60)
  const license = Date.UTC(2031, 2, 1, 23, 59, 59) / 1000
  const row = (id: string, kind: string, storedAt: number, nextStoredAt?: number, expires?: number) => ({
    ...{ id, kind, storedAt, nextStoredAt, expires },
  })
  assert.deepEqual(
    secrets.filter(({ id }) => id !== 'tls-certificate'),
    [
      row('tappass-admin-api-key', 'distributed', 1_800_000_000, 1_800_000_500),
      row('tappass-vault-key', 'kept', 1_500_000_000),
      row('tappass-license', 'provided', 1_700_000_000, undefined, license),
      row('database-url', 'provided', 1_700_000_000),
    ],
  )
})

test('what can not be read has no end, and a host without secrets none', () => {
  for (const id of ['tls-certificate', 'tappass-license']) place(id, 'no such thing', 1_700_000_000)
  const { secrets } = ask()
  assert.deepEqual(
    secrets.filter(({ id }) => id.startsWith('tls-') || id === 'tappass-license').map(({ expires }) => expires),
    [undefined, undefined],
  )
  assert.deepEqual(storedSecretsFact.parse({ code: 0, stdout: '1800000000\n', stderr: '' }).secrets, [])
})

const DAY = 86_400
const NOW = 1_800_000_000
const secret = { id: 'x', storedAt: NOW - 100 * DAY, nextStoredAt: undefined, expires: undefined }

const ROWS = [
  ['own', 90, {}, false, /^x ! +2026-10-07T08:00:00Z +100 days +rotated by one run$/m],
  ['own', 100, {}, true, /^x +2026-10-07T08:00:00Z +100 days /m],
  ['kept', 90, {}, false, /rotated by one run; earlier ones stay for what was made with them$/m],
  ['provided', 1000, { expires: NOW - 1 }, false, /^x ! .* 2027-01-15T07:59:59Z: expired +provided with --secret$/m],
  ['provided', 1000, { expires: NOW }, true, / 2027-01-15T08:00:00Z +provided with --secret$/m],
  ['distributed', 1000, { nextStoredAt: NOW - DAY }, true, /is being rotated since 2027-01-14T08:00:00Z$/m],
] as const

for (const [kind, days, more, expected, says] of ROWS) {
  test(`a secret that is ${kind}, with ${JSON.stringify(more)}, at most ${days} days: ${expected ? 'well' : 'not well'}`, () => {
    const stored = { now: NOW, secrets: [{ ...secret, kind, ...more }] }
    const states = judgeSecrets(stored, days * DAY)
    assert.deepEqual(states.map(isWell), [expected])
    assert.match(renderSecrets(stored, states), says)
  })
}
