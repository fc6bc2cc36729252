/** What ends or runs out: rows of what was read, and what is said of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DiskState,
  type Finding,
  judgeBackups,
  judgeDisk,
  judgeLicense,
  judgeSecret,
  judgeValidity,
} from '../../../server/housekeeping/finding.ts'
import { journalLines, metricsText, recordText, webhookBody } from '../../../server/housekeeping/report.ts'

const nowMs = Date.parse('2026-11-26T12:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const validity = (fromHours: number, untilHours: number) => ({
  fromMs: nowMs + fromHours * HOUR_MS,
  untilMs: nowMs + untilHours * HOUR_MS,
})
const license = (expires: string, status: 'valid' | 'expired' = 'valid') =>
  ({ status, license: { org: 'x', tier: 'y', expires } }) as const
const disk = (state: Partial<DiskState>): DiskState => ({
  ...{ bytes: 100 * 2 ** 30, freeBytes: 50 * 2 ** 30, inodes: 1000, freeInodes: 500 },
  ...state,
})
const oneLicense = (found: Parameters<typeof judgeLicense>[0]) => judgeLicense(found, { nowMs, daysMin: 30 })[0]

const oneBackup = (...sets: readonly (readonly [isProven: boolean, hours: number])[]) =>
  judgeBackups(
    '/b',
    sets.map(([isProven, hours]) => ({ name: `s${hours}`, takenMs: nowMs - hours * 3_600_000, isProven })),
    nowMs,
  )[0]

const rows: readonly (readonly [name: string, finding: Finding | undefined, level: string, state: RegExp])[] = [
  ['a certificate', judgeValidity('certificate', 'gw', validity(-240, 1920), nowMs), 'ok', /^80 days left$/],
  [
    'one that was not renewed',
    judgeValidity('certificate', 'gw', validity(-2000, 160), nowMs),
    'soon',
    /^6 days left: it/,
  ],
  [
    'one that has expired',
    judgeValidity('certificate', 'gw', validity(-2000, -60), nowMs),
    'failed',
    /^expired 2 days ago$/,
  ],
  ['none', judgeValidity('certificate', 'gw', undefined, nowMs), 'failed', /none that can be read/],
  ['an SVID of an hour', judgeValidity('svid', 'svid.pem', validity(-0.5, 0.5), nowMs), 'ok', /^30 min left$/],
  [
    'an SVID whose helper is gone',
    judgeValidity('svid', 'svid.pem', validity(-0.9, 0.1), nowMs),
    'soon',
    /^6 min left: it/,
  ],
  [
    'an SVID that has expired',
    judgeValidity('svid', 'svid.pem', validity(-2, -1), nowMs),
    'failed',
    /^expired 60 min ago$/,
  ],
  ['a license', oneLicense(license('2027-11-26')), 'ok', /^365 days left, until 2027-11-26$/],
  ['a license with 30 days', oneLicense(license('2026-12-26')), 'ok', /^30 days left/],
  ['a license with 29 days', oneLicense(license('2026-12-25')), 'soon', /^29 days left/],
  ['a license on its last day', oneLicense(license('2026-11-26')), 'soon', /^11 h left, until 2026-11-26$/],
  ['a license that has expired', oneLicense(license('2026-11-25', 'expired')), 'failed', /^expired on 2026-11-25$/],
  [
    'a license of another',
    oneLicense({ status: 'invalid', reason: 'its signature' }),
    'failed',
    /^invalid: its signature$/,
  ],
  ['a secret', judgeSecret('s', nowMs - 364 * DAY_MS, { nowMs, daysMax: 365 }), 'ok', /^364 days old$/],
  ['an old secret', judgeSecret('s', nowMs - 366 * DAY_MS, { nowMs, daysMax: 365 }), 'soon', /rotate it$/],
  ['a secret from the future', judgeSecret('s', nowMs + DAY_MS, { nowMs, daysMax: 365 }), 'ok', /^0 min old$/],
  ['a backup', oneBackup([true, 20]), 'ok', /^the newest that counts is 20 h old$/],
  ['a backup that is being proven', oneBackup([false, 1], [true, 25]), 'ok', /^the newest that counts is 25 h old$/],
  ['a backup that was not proven', oneBackup([false, 8], [true, 32]), 'failed', /^s8 was never proven; .* 32 h old$/],
  ['a first backup that was not proven', oneBackup([false, 8]), 'failed', /^s8 was never proven; none counts$/],
  ['a disk', judgeDisk('/', disk({})), 'ok', /^51200 MB free$/],
  ['a disk that fills', judgeDisk('/', disk({ freeBytes: 19 * 2 ** 30 })), 'soon', /^19456 MB free$/],
  ['a full disk', judgeDisk('/', disk({ freeBytes: 1023 * 2 ** 20 })), 'failed', /^1023 MB free$/],
  ['no inodes', judgeDisk('/', disk({ freeInodes: 19 })), 'failed', /only 19 inodes$/],
  ['a file system that keeps no inodes', judgeDisk('/', disk({ inodes: 0, freeInodes: 0 })), 'ok', /MB free$/],
  ['a disk that cannot be asked', judgeDisk('/', undefined), 'failed', /cannot be asked/],
]
for (const [name, finding, level, state] of rows) {
  test(`finding: ${name} is ${level}`, () => {
    assert.equal(finding?.level, level)
    assert.match(finding?.state ?? '', state)
  })
}

test('finding: without a license there is nothing to look at', () => {
  assert.deepEqual(judgeLicense(undefined, { nowMs, daysMin: 30 }), [])
})

const three: readonly Finding[] = [
  { check: 'disk', subject: '/my "disk"\\', level: 'ok', state: '9 MB free', freeBytes: 9_437_184 },
  { check: 'license', subject: 'tappass-license', level: 'soon', state: '3 days left', expiresMs: nowMs + 3 * DAY_MS },
  { check: 'certificate', subject: 'gw', level: 'failed', state: 'expired', expiresMs: nowMs - 1 },
]

test('report: the journal has the most urgent first, each with its priority', () => {
  assert.deepEqual(journalLines(three), [
    '<3>certificate gw: expired',
    '<4>license tappass-license: 3 days left',
    '<6>disk /my "disk"\\: 9 MB free',
  ])
})

test('report: metrics as Prometheus reads them, labels quoted', () => {
  const rows = metricsText(three, nowMs)
    .split('\n')
    .filter((row) => row !== '' && !row.startsWith('#'))
  assert.deepEqual(rows, [
    'tappass_check_well{check="disk",subject="/my \\"disk\\"\\\\"} 1',
    'tappass_check_well{check="license",subject="tappass-license"} 0',
    'tappass_check_well{check="certificate",subject="gw"} 0',
    `tappass_check_expires_timestamp_seconds{check="license",subject="tappass-license"} ${nowMs / 1000 + 3 * 86_400}`,
    `tappass_check_expires_timestamp_seconds{check="certificate",subject="gw"} ${nowMs / 1000 - 1}`,
    'tappass_check_free_bytes{check="disk",subject="/my \\"disk\\"\\\\"} 9437184',
    `tappass_check_last_run_timestamp_seconds ${nowMs / 1000}`,
  ])
})

test('report: the record is one line, and a webhook is told what is not well and nothing else', () => {
  assert.deepEqual(JSON.parse(recordText(three, nowMs)), { at: '2026-11-26T12:00:00.000Z', findings: three })
  const body = JSON.parse(webhookBody(three, 'gw-1', nowMs) ?? '')
  assert.equal(body.text, 'TapPass on gw-1: license tappass-license: 3 days left; certificate gw: expired')
  assert.deepEqual(body.findings, three.slice(1))
  assert.equal(webhookBody(three.slice(0, 1), 'gw-1', nowMs), undefined)
})
