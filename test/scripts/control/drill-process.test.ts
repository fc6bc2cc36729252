/** The scripts that run the process of drills on a host: shell without a mistake, a sandbox, no secret in it, the lock of backups; loopback only where the service is touched. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { drillCommand, listDrillsCommand } from '../../../scripts/control/drill-process.ts'

const HINT = "tappass bootstrap --host root@it's"
const LOCKED = 'flock --exclusive --nonblock --conflict-exit-code 4 --no-fork /var/lib/tappass/backup/.lock'

const rows = [
  { name: 'list', command: listDrillsCommand(HINT), has: ['drill.ts list'], lacks: ['flock', 'LoadCredential'] },
  {
    name: 'one that touches nothing',
    command: drillCommand("a'; reboot", false, false, HINT),
    has: [LOCKED, 'UMask=0077', 'PrivateNetwork=yes', 'LoadCredentialEncrypted=tappass-vault-key', `'a'\\''; reboot'`],
    lacks: ['--json', 'IPAddressAllow'],
  },
  {
    name: 'one that touches the service',
    command: drillCommand('container', true, true, HINT),
    has: [
      LOCKED,
      'UMask=0077', // It may be the first to make the lock, beside backups that nobody else may read.
      'IPAddressDeny=any',
      'IPAddressAllow=localhost',
      'docker rm --force --volumes tappass-drill',
      '--json',
    ],
    lacks: ['PrivateNetwork'],
  },
] as const

for (const { name, command, has, lacks } of rows)
  test(`the process of drills: ${name}`, () => {
    const text = String(command.stdin)
    execFileSync('sh', ['-n'], { input: text })
    for (const part of has) assert.ok(text.includes(part), part)
    for (const part of lacks) assert.ok(!text.includes(part), part)
  })
