/** The scripts that run the process of backups on a host: shell without a mistake, a sandbox, no secret in it, and the lock where something changes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { backupCommand, createBackupCommand } from '../../../scripts/control/backup-process.ts'

const textOf = ({ stdin }: ReturnType<typeof backupCommand>): string => String(stdin)
const HINT = "tappass bootstrap --host root@it's"

const rows = [
  {
    name: 'list',
    command: backupCommand(['list', '--json'], 'read', HINT),
    has: [],
    lacks: ['flock', 'LoadCredential'],
  },
  {
    name: 'verify',
    command: backupCommand(['verify', "a'; reboot"], 'change', HINT),
    has: ['flock --exclusive --nonblock', 'LoadCredentialEncrypted=tappass-vault-key', `'a'\\''; reboot'`],
    lacks: ['settle', '--keep-daily'],
  },
  {
    name: 'restore',
    command: backupCommand(['restore', 'x'], 'change', HINT),
    has: ['ExecStopPost=/usr/bin/flock', 'backup.ts settle', 'PrivateNetwork=yes'],
    lacks: [],
  },
  {
    name: 'a check of what may be restored',
    command: backupCommand(['restore', 'x', '--check'], 'read', HINT),
    has: ['LoadCredentialEncrypted=tappass-vault-key'],
    lacks: ['flock', 'settle'],
  },
  { name: 'prune', command: backupCommand(['prune'], 'change', HINT), has: ['--keep-daily'], lacks: [] },
  { name: 'create', command: createBackupCommand(HINT), has: ['systemctl start tappass-backup.service'], lacks: [] },
] as const

for (const { name, command, has, lacks } of rows)
  test(`the process of backups: ${name}`, () => {
    const text = textOf(command)
    execFileSync('sh', ['-n'], { input: text })
    for (const part of has) assert.ok(text.includes(part), part)
    for (const part of lacks) assert.ok(!text.includes(part), part)
  })
