/** Texts that no program can import (units, the Caddyfile) say what the contract says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'

const root = join(import.meta.dirname, '../..')

const ROWS: readonly Readonly<{ file: string; says: string }>[] = [
  { file: 'units/tappass.socket', says: `ListenStream=${GATEWAY_HOST}:${GATEWAY_PORT}\n` },
  { file: 'Caddyfile', says: `{$TAPPASS_UPSTREAM:${GATEWAY_HOST}:${GATEWAY_PORT}}` },
]

for (const { file, says } of ROWS) {
  test(`${file} says ${says.trim()}`, () => {
    assert.ok(readFileSync(join(root, file), 'utf8').includes(says))
  })
}
