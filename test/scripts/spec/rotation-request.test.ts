/** What a command line says about rotating secrets, and what is said against it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseArguments } from '../../../scripts/command-line/argument.ts'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { VERBS } from '../../../scripts/command-table.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from '../../../scripts/secrets/secret-id.ts'
import { ROTATION_KINDS, SPIRE_CA_ID } from '../../../scripts/secrets/secret-rotation.ts'
import { type RotationRequest, readRotationRequest, rotationOf } from '../../../scripts/spec/rotation-request.ts'

const read = (line: string): RotationRequest | undefined =>
  readRotationRequest(parseArguments(VERBS, line.split(' ')) as unknown as Invocation)

/** What a host generates, and the authority of its identities. */
const ROTATABLE = [
  ...['tappass-admin-api-key', 'tappass-token-key', 'postgres-password', 'postgres-owner-password'],
  ...['tappass-jwt-secret', 'tappass-checkpoint-key', 'tappass-vault-key', 'spire-ca'],
]

const ROWS: readonly (readonly [line: string, request: RotationRequest | undefined])[] = [
  ['plan', undefined],
  ['bootstrap --secret openai-api-key=f', undefined],
  ['secrets rotate postgres-password', { ids: ['postgres-password'], ageSecondsMin: 3600, mode: 'overlap' }],
  [
    'plan --rotate postgres-password --rotate tappass-jwt-secret --older-than 90d',
    { ids: ['postgres-password', 'tappass-jwt-secret'], ageSecondsMin: 7_776_000, mode: 'overlap' },
  ],
  [
    'secrets rotate tappass-token-key,tappass-admin-api-key,tappass-token-key --older-than 0s --finish',
    { ids: ['tappass-token-key', 'tappass-admin-api-key'], ageSecondsMin: 0, mode: 'finish' },
  ],
  [
    'secrets rotate tappass-admin-api-key --compromised',
    { ids: ['tappass-admin-api-key'], ageSecondsMin: 0, mode: 'compromised' },
  ],
  [
    'secrets rotate tappass-vault-key --secret tappass-vault-key=FILE',
    { ids: ['tappass-vault-key'], ageSecondsMin: 3600, mode: 'overlap' },
  ],
  ['plan --rotate all', { ids: ROTATABLE, ageSecondsMin: 3600, mode: 'overlap' }],
  [
    'secrets rotate all,tappass-token-key --secret openai-api-key=FILE --finish',
    { ids: [...ROTATABLE, 'openai-api-key'], ageSecondsMin: 3600, mode: 'finish' },
  ],
  [
    'secrets rotate openai-api-key --secret openai-api-key=FILE --older-than 12h',
    { ids: ['openai-api-key'], ageSecondsMin: 43_200, mode: 'overlap' },
  ],
]

for (const [line, request] of ROWS) {
  test(`rotation: ${line}`, () => assert.deepEqual(read(line), request))
}

const REFUSED: readonly (readonly [line: string, code: number, what: RegExp, next: RegExp])[] = [
  ['secrets rotate postgres-pasword', 64, /^there is no secret "postgres-pasword"/, /rotate postgres-password$/],
  ['secrets rotate openai-api-key', 64, /has to be provided$/, /--secret openai-api-key=FILE$/],
  ['secrets rotate postgres-password --older-than soon', 64, /not "soon"$/, /--older-than 90d$/],
  ['secrets rotate postgres-password --older-than 5', 64, /not "5"$/, /--older-than 90d$/],
  ['plan --compromised', 64, /^"--compromised" needs "--rotate"$/, /plan --rotate ID$/],
  ['secrets rotate tappass-token-key --compromised --finish', 64, /"--finish" exclude each other/, /--compromised$/],
  ['plan --rotate all --compromised --older-than 1d', 64, /"--older-than" exclude each other/, /--compromised$/],
  ['plan --finish', 64, /^"--finish" needs "--rotate"$/, /plan --rotate ID$/],
  ['plan --older-than 1h', 64, /^"--older-than" needs "--rotate"$/, /plan --rotate ID$/],
]

for (const [line, code, what, next] of REFUSED) {
  test(`rotation refused: ${line}`, () => {
    assert.throws(
      () => read(line),
      (failure: unknown) => {
        assert.ok(failure instanceof Failure)
        assert.match(failure.text.what, what)
        assert.match(failure.text.next ?? '', next)
        return failure.code === code
      },
    )
  })
}

test('rotation: every secret of a host says how it is rotated', () => {
  assert.deepEqual(
    Object.keys(ROTATION_KINDS).toSorted(),
    [...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS, SPIRE_CA_ID].toSorted(),
  )
})

test("rotation: how old a value is, is measured by the host's clock", () => {
  const request = { ids: ['postgres-password'], ageSecondsMin: 60, mode: 'overlap' } as const
  assert.deepEqual(rotationOf(request, 1_800_000_000), {
    ids: ['postgres-password'],
    storedBefore: 1_799_999_940,
    mode: 'overlap',
  })
})
