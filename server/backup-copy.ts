/**
 * Copies backups that were proven, and PostgreSQL's archived log, to where the host's settings say: a bucket, or a folder over SSH. A process of its own that systemd starts
 * after a backup, after a segment of the log was archived, and every hour; it goes on where it was cut, and does nothing where nothing waits. It ends with 1 when a copy was not made; its unit tries again.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { STORE_CREDENTIALS, type StoreSecrets, type StoreSettings, storeLabel } from '../contract/backup-store.ts'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { runCopy } from './copies/copy-run.ts'
import { openStore } from './process/backup-store.ts'

const USAGE = 'usage: backup-copy.ts --sets FOLDER [--wal FOLDER] --state FOLDER --settings FILE --credentials FOLDER'

function readSecrets(kind: StoreSettings['kind'], folder: string): StoreSecrets {
  const ids = STORE_CREDENTIALS[kind].filter((id) => existsSync(join(folder, id)))
  return Object.fromEntries(ids.map((id) => [id, readFileSync(join(folder, id), 'utf8').trim()]))
}

async function main(argv: readonly string[]): Promise<void> {
  const option = { type: 'string' } as const
  const options = { sets: option, wal: option, state: option, settings: option, credentials: option } as const
  const { sets, wal, state, settings, credentials } = parseArgs({ args: [...argv], options }).values
  if (sets === undefined || state === undefined || settings === undefined || credentials === undefined)
    throw new Error(USAGE)
  const { recipient, store: setting } = JSON.parse(readFileSync(settings, 'utf8')) as Readonly<{
    recipient: string
    store: StoreSettings
  }>
  const store = openStore(setting, readSecrets(setting.kind, credentials))
  const label = storeLabel(setting)
  try {
    const work = { sets, ...(wal === undefined ? {} : { wal }), state, recipient, label, store, now: () => new Date() }
    const count = await runCopy(work, (line) => process.stdout.write(`${line}\n`))
    if (count === 0) process.stdout.write(`nothing waits: ${label} has every verified backup, and the log\n`)
  } finally {
    await store.close()
  }
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`<3>tappass-backup-copy: ${error.message}\n`)
    process.exitCode = EXIT_CODE.failed
  })
}
