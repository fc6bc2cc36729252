/** Which backups count, by what lies in a folder. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSetStates } from '../../../server/backups/set-state.ts'

test('sets by their names, the newest first; other things are none', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sets-'))
  context.after(() => rmSync(folder, { recursive: true }))
  for (const name of ['tappass-20261126T020000Z', 'tappass-20261127T020000Z', 'base', 'tappass-x', '2026-11-27'])
    mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'tappass-20261126T020000Z', 'verified.json'), '{}')
  assert.deepEqual(readSetStates(folder), [
    { name: 'tappass-20261127T020000Z', takenMs: Date.UTC(2026, 10, 27, 2), isProven: false },
    { name: 'tappass-20261126T020000Z', takenMs: Date.UTC(2026, 10, 26, 2), isProven: true },
  ])
  assert.deepEqual(readSetStates(join(folder, 'nowhere')), [])
})
