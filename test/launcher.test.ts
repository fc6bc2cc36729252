/** The launcher under dash, and what shellcheck thinks of it. Needs: curl, dash, shellcheck. On one Node: it is a script of sh. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeLauncher } from './launcher/rows.ts'
import { locate } from './launcher/world.ts'
import { shareOf } from './rounds.ts'

describeLauncher({ name: 'dash', argv: [locate('dash')], killPoints: shareOf(30) })

test('shellcheck finds nothing', () => {
  const cwd = join(import.meta.dirname, '..')
  const { stdout } = spawnSync('shellcheck', ['-x', '-s', 'sh', 'tappass', 'scripts/install.sh'], {
    cwd,
    encoding: 'utf8',
  })
  assert.equal(stdout, '')
})
