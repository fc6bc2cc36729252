/**
 * Of the files, slices and listings of ordinary repositories in ../shared/data no one is altered, and next to none refused as a
 * secret. Needs: data.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Finding } from '../../../server/core/finding.ts'
import { createStep as createPii } from '../../../server/steps/detect-pii.ts'
import { createStep as createSecrets } from '../../../server/steps/detect-secrets.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf } from '../pipeline/call-fixture.ts'

const DATA = join(import.meta.dirname, '../../../../shared/data/ordinary-dev.jsonl')
const NOTED = new Set(['pii.email', 'pii.phone', 'pii.ip_address'])
/** Files with what really is of the form of a credential: a client secret, a hash and a password of an example. */
const SECRETS_MAX = 3

type Row = Readonly<{ set: string; channel: string; text?: string }>

test('files of ordinary repositories', () => {
  const engine = testEngine()
  const [pii, secrets] = [createPii(engine), createSecrets(engine)]
  const texts = readFileSync(DATA, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    .flatMap(({ text, channel }) => (channel === 'tool' && text !== undefined ? [text] : []))
  assert.ok(texts.length > 1000)
  const found = { altered: [] as string[], refused: 0 }
  for (const text of texts) {
    const call = callOf({}, { segments: [{ pointer: '/t', author: 'tool', text }] })
    const sure = ({ confidence, kind }: Finding): boolean => confidence >= 0.5 && !NOTED.has(kind)
    const personal = (pii.inspect(call, undefined as never) as readonly Finding[]).filter(sure)
    found.altered.push(...personal.map(({ kind, span }) => `${kind} ${text.slice(...span)}`))
    if ((secrets.inspect(call, undefined as never) as readonly Finding[]).some(sure)) found.refused += 1
  }
  assert.deepEqual(found.altered, [])
  assert.ok(found.refused <= SECRETS_MAX, `${found.refused} files refused`)
})
