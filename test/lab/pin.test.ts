/** The lab's small reader of versions.yaml against a YAML library. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { readSimpleYaml } from './pin.ts'

/** Scalars as text: the small reader keeps them so. */
function texts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(texts)
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, texts(each)]))
}

test('versions.yaml reads as a YAML library reads it', async () => {
  const text = await readFile(join(import.meta.dirname, '../../versions.yaml'), 'utf8')
  const wanted = parse(text, { schema: 'failsafe' }) as Record<string, unknown>
  const read = readSimpleYaml(text)
  for (const part of ['node', 'images', 'caddy', 'docker', 'opa', 'spire', 'spiffe-helper'])
    assert.deepEqual(read[part], texts(wanted[part]), part)
})
