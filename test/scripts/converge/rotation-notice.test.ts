/** What is said before and after the rotation of a secret. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArguments } from '../../../scripts/command-line/argument.ts'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { VERBS } from '../../../scripts/command-table.ts'
import { assertInstalled, rotationNotice } from '../../../scripts/converge/rotation-notice.ts'
import { targetFact } from '../../../scripts/facts/path.ts'
import { storedAtFact } from '../../../scripts/secrets/secret-fact.ts'
import { spireAuthoritiesFact } from '../../../scripts/secrets/spire-authority.ts'
import { factReaderOf, factRow } from '../known-host.ts'
import { specOf } from '../roles/blank-host.ts'

const invocationOf = (line: string) => parseArguments(VERBS, line.split(' ')) as unknown as Invocation
const rotate = invocationOf('secrets rotate ids --host root@server --older-than 0s --yes')

const ADMIN = 'tappass-admin-api-key'
const PASSWORD = 'postgres-password'

/** Two secrets, each stored at a time, with a next value or without. */
const hostOf = (times: Readonly<Record<string, number>>) =>
  factReaderOf(
    [ADMIN, PASSWORD].flatMap((id) => [
      factRow(storedAtFact(id), times[id]),
      factRow(storedAtFact(`${id}-next`), times[`${id}-next`]),
    ]),
  )

const FINISH = `tappass secrets rotate ${ADMIN} --host root@server --finish`

const ROWS = [
  {
    name: 'a key that others have waits for its end',
    ...{ ids: [ADMIN, PASSWORD], times: { [ADMIN]: 1, [`${ADMIN}-next`]: 2, [PASSWORD]: 2000 }, isChanged: true },
    says: [`both values are good: ${ADMIN}`, `when nobody uses the old one: ${FINISH}`],
  },
  {
    name: 'the same, when nothing was done',
    ...{ ids: [ADMIN], times: { [ADMIN]: 1, [`${ADMIN}-next`]: 2 }, isChanged: false },
    says: [`both values are good: ${ADMIN}`, `when nobody uses the old one: ${FINISH}`],
  },
  {
    name: 'a password that was rotated',
    ...{ ids: [PASSWORD], times: { [PASSWORD]: 2000 }, isChanged: true },
    says: undefined,
  },
  {
    name: 'a password that is young, so nothing was done',
    ...{ ids: [PASSWORD], times: { [PASSWORD]: 2000 }, isChanged: false },
    says: [
      `stored lately, so nothing is rotated: ${PASSWORD}`,
      `to rotate nevertheless: tappass secrets rotate ${PASSWORD} --host root@server --older-than 0s`,
    ],
  },
] as const

for (const { name, ids, times, isChanged, says } of ROWS) {
  test(`rotation notice: ${name}`, async () => {
    const rotation = { ids, storedBefore: 1000, mode: 'overlap' } as const
    const notice = await rotationNotice(rotate, hostOf(times as Record<string, number>), rotation, isChanged)
    assert.deepEqual(notice && [notice.what, notice.next], says)
  })
}

test('rotation notice: of the authority of identities the server itself says whether a next one is trusted', async () => {
  const rotation = { ids: ['spire-ca'], storedBefore: 1000, mode: 'overlap' } as const
  for (const [isPrepared, says] of [
    [true, 'both values are good: spire-ca'],
    [false, undefined],
  ] as const) {
    const state = { createdAt: 1, isX509Prepared: isPrepared, isJwtPrepared: isPrepared, isOldTrusted: false }
    const notice = await rotationNotice(rotate, factReaderOf([factRow(spireAuthoritiesFact, state)]), rotation, true)
    assert.equal(notice?.what, says)
  }
})

test('a rotation of the authority of identities is refused where there are none', async () => {
  const { release } = specOf()
  const facts = factReaderOf([factRow(targetFact('/opt/tappass/current'), `/opt/tappass/releases/${release.version}`)])
  const asked = (...ids: readonly string[]) => ({
    release,
    rotation: { ids, storedBefore: 1, mode: 'overlap' } as const,
  })
  await assert.rejects(assertInstalled(rotate, facts, asked('spire-ca')), /issues no identities/)
  await assertInstalled(rotate, facts, asked('spire-ca', 'postgres-password'))
})

test('a rotation is refused where another release runs, or none', async () => {
  const link = '/opt/tappass/current'
  const { release } = specOf()
  const attempt = (target: string | undefined) =>
    assertInstalled(rotate, factReaderOf([factRow(targetFact(link), target)]), { release })
  await attempt(`/opt/tappass/releases/${release.version}`)
  for (const [target, what] of [
    ['/opt/tappass/releases/0.1.0-aaaaaaaaaaaa', /runs another release/],
    [undefined, /not installed on this host/],
  ] as const)
    await assert.rejects(attempt(target), (failure: Error & { code: number; text: { next: string } }) => {
      assert.match(failure.message, what)
      assert.equal(failure.text.next, 'first tappass bootstrap --host root@server')
      return failure.code === 5
    })
})
