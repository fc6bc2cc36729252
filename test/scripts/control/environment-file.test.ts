/** `tappass secrets make`: the file is written whole or not at all, for its owner alone, and what is printed holds no value. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseEnv } from 'node:util'
import { completeEnvironmentFile } from '../../../scripts/control/environment-file.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import { SYSTEM_RANDOMNESS } from '../../../scripts/runners/randomness.ts'
import { GENERATED_NAMES } from '../../../scripts/secrets/secret-generation.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-secrets-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const EXAMPLE = join(import.meta.dirname, '../../../.env.example')
const make = (path: string) => completeEnvironmentFile(path, EXAMPLE, SYSTEM_RANDOMNESS)

test('the example is filled in, closed to others, and left alone the second time', () => {
  const path = join(folder, '.env.prod')
  copyFileSync(EXAMPLE, path)
  chmodSync(path, 0o644)
  const { generated, isClosed } = make(path)
  assert.deepEqual([generated, isClosed], [GENERATED_NAMES, true])
  const before = [readFileSync(path, 'utf8'), statSync(path).mode & 0o777, statSync(path).ino] as const
  assert.equal(before[1], 0o600)
  assert.deepEqual(make(path), { generated: [], taken: [], kept: GENERATED_NAMES, isClosed: false })
  assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, statSync(path).ino], before)
  // What the example has beside them is there still.
  const names = (text: string) => Object.keys(parseEnv(text)).toSorted()
  assert.deepEqual(names(before[0]), names(readFileSync(EXAMPLE, 'utf8')))
})

test('a link stays one, and the file that it leads to is written', () => {
  const [target, path] = [join(folder, 'kept'), join(folder, 'link')]
  copyFileSync(EXAMPLE, target)
  symlinkSync(target, path)
  make(path)
  assert.ok(parseEnv(readFileSync(target, 'utf8'))['POSTGRES_PASSWORD'])
  assert.equal(readFileSync(path, 'utf8'), readFileSync(target, 'utf8'))
})

const refusals: readonly (readonly [name: string, text: string | undefined, words: RegExp])[] = [
  ['a file that is not there', undefined, /cannot read the environment file.*cp .*\.env\.example/s],
  ['a value that is no secret', 'TAPPASS_VAULT_KEY=abc\n', /holds what is no secret.*TAPPASS_VAULT_KEY/s],
]
for (const [name, text, words] of refusals)
  test(`refused, and nothing is changed: ${name}`, () => {
    const path = join(folder, 'refused')
    rmSync(path, { force: true })
    if (text !== undefined) writeFileSync(path, text)
    const before = readdirSync(folder)
    assert.throws(
      () => make(path),
      (error) => error instanceof Failure && error.code === 5 && words.test(JSON.stringify(error.text)),
    )
    assert.deepEqual(readdirSync(folder), before)
    if (text !== undefined) assert.equal(readFileSync(path, 'utf8'), text)
  })
