/** A secret that only the operator has: rows of facts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../scripts/core/failure.ts'
import { type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { requiredSecret } from '../../../scripts/resources/required-secret.ts'
import { credentialPaths } from '../../../scripts/secrets/credential.ts'
import { factRow, planLines } from '../known-host.ts'

const file = { kind: 'file', mode: '0600', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
const absent = { kind: 'absent' } as const
const [encrypted, plain] = credentialPaths('tunnel-token')
const plan = (states: readonly [PathState, PathState]) =>
  planLines(requiredSecret({ id: 'tunnel-token', reason: 'a tunnel needs its token' }), [
    factRow(pathFact(encrypted), states[0]),
    factRow(pathFact(plain), states[1]),
  ])

for (const states of [
  [file, absent],
  [absent, file],
] as const) {
  test(`required secret: there as ${states[0].kind === 'file' ? 'an encrypted' : 'a plain'} credential`, async () => {
    assert.deepEqual(await plan(states), [])
  })
}

test('required secret: absent is refused, with what to type', async () => {
  await assert.rejects(plan([absent, absent]), (error) => {
    assert.ok(error instanceof Failure)
    assert.deepEqual([error.code, error.text.what], [5, 'the secret tunnel-token is missing'])
    assert.match(error.text.next ?? '', /--secret tunnel-token=FILE/)
    return true
  })
})
