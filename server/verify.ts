/**
 * The process that verifies the ledger: `verify.ts [--json]`. Says whether it is intact, or names the first invalid
 * entry. Exit codes: 0 intact, 1 broken or unreadable, 64 usage. Reads only.
 */

import { parseArgs } from 'node:util'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { systemClock } from './adapters/system.ts'
import { readConfig } from './config/config.ts'
import { type Integrity, verifyLedger } from './ledger/verification.ts'
import { openDatabase } from './process/storage.ts'

function formatIntegrity(integrity: Integrity): string {
  const size = `entries ${integrity.entries}, chains ${integrity.chains}`
  if (integrity.status === 'intact') return `intact: ${size}`
  return `broken: entry ${integrity.seq} of chain ${integrity.chain}: ${integrity.reason} (read: ${size})`
}

/** Returns the exit code. */
async function run(isJson: boolean): Promise<number> {
  const database = await openDatabase(readConfig('database'), systemClock, () => {})
  try {
    const integrity = await verifyLedger(database)
    process.stdout.write(`${isJson ? JSON.stringify(integrity) : formatIntegrity(integrity)}\n`)
    return integrity.status === 'intact' ? EXIT_CODE.upToDate : EXIT_CODE.failed
  } finally {
    await database.close()
  }
}

/** Returns whether `--json` was given, or undefined when the arguments are invalid. */
function parseJsonFlag(): boolean | undefined {
  try {
    return parseArgs({ options: { json: { type: 'boolean', default: false } } }).values.json
  } catch {
    return undefined
  }
}

async function main(): Promise<void> {
  const isJson = parseJsonFlag()
  if (isJson === undefined) {
    process.stderr.write('usage: verify.ts [--json]\n')
    process.exitCode = EXIT_CODE.usage
    return
  }
  try {
    process.exitCode = await run(isJson)
  } catch (cause) {
    process.stderr.write(`tappass verify: ${cause instanceof Error ? cause.message : String(cause)}\n`)
    process.exitCode = EXIT_CODE.failed
  }
}

if (import.meta.main) await main()
