/** The script that moves data on a host: shell without a mistake, a sandbox, no secret in it, and what a killed one leaves is settled. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { moveCommand } from '../../../scripts/control/database-move.ts'

const rows = [
  { action: 'move', has: ['server/move.ts settle', 'LoadCredentialEncrypted=database-owner-url'], lacks: [] },
  { action: 'bring', has: ['server/move.ts settle', 'LoadCredentialEncrypted=database-owner-url'], lacks: [] },
  { action: 'return', has: ['LoadCredentialEncrypted=database-url'], lacks: ['settle'] },
  { action: 'open', has: ['flock --exclusive'], lacks: ['settle'] },
] as const

for (const { action, has, lacks } of rows)
  test(`the process that moves data: ${action}`, () => {
    const text = String(moveCommand(action, '/opt/tappass/releases/2').stdin)
    execFileSync('sh', ['-n'], { input: text })
    for (const part of [...has, 'WorkingDirectory=/opt/tappass/releases/2', 'ProtectSystem=strict', ` sh ${action} `])
      assert.ok(text.includes(part), part)
    for (const part of lacks) assert.ok(!text.includes(part), part)
  })
