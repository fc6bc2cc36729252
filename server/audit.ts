/**
 * The process of the ledger, for auditors. Reads only. `audit.ts ACTION`:
 *   verify [--export FILE] [--key FILE]... [--since FILE]... [--json]  recomputes the ledger of the database, or an export
 *   export                                                            writes the ledger to stdout, one JSON object a line
 *   proof AUDIT_ID                                                    writes the proof that an entry is in the ledger
 * Exit codes: 0 intact or written, 1 broken or unreadable, 64 usage.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { readLines } from './adapters/line-file.ts'
import { systemClock } from './adapters/system.ts'
import { readPublicKey } from './checkpoint/signed-note.ts'
import { createEvidence } from './composition/create-evidence.ts'
import { type Config, readConfig } from './config/config.ts'
import type { Database } from './core/ports.ts'
import { proveEntry } from './ledger/entry-proof.ts'
import { exportLines, verifyExport } from './ledger/ledger-export.ts'
import { type Evidence, type Integrity, NO_EVIDENCE, verifyLedger } from './ledger/verification.ts'
import { openDatabase } from './process/storage.ts'

const USAGE =
  'usage: audit.ts verify [--export FILE] [--key FILE]... [--since FILE]... [--json] | export | proof AUDIT_ID'

type Request = Readonly<{
  action: 'verify' | 'export' | 'proof'
  auditId: string
  exportPath: string | undefined
  keyPaths: readonly string[]
  sincePaths: readonly string[]
  isJson: boolean
}>

/** Undefined when the arguments are invalid. */
function parseRequest(argv: readonly string[]): Request | undefined {
  const texts = { type: 'string', multiple: true } as const
  const options = { export: { type: 'string' }, key: texts, since: texts, json: { type: 'boolean' } } as const
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    const [action, auditId = '', ...rest] = positionals
    if (action !== 'verify' && action !== 'export' && action !== 'proof') return undefined
    if (rest.length > 0 || (action === 'proof') !== (auditId !== '')) return undefined
    const { export: exportPath, key: keyPaths = [], since: sincePaths = [], json: isJson = false } = values
    return { action, auditId, exportPath, keyPaths, sincePaths, isJson }
  } catch {
    return undefined
  }
}

/** The keys and checkpoints that were given; else those that the gateway keeps outside the database. */
async function readEvidence({ keyPaths, sincePaths }: Request, config: Config | undefined): Promise<Evidence> {
  const since = await Promise.all(sincePaths.map((path) => readFile(path, 'utf8')))
  const kept = config === undefined ? NO_EVIDENCE : await createEvidence(config)()
  const publicKeys = keyPaths.length > 0 ? await readKeyFiles(keyPaths) : kept.publicKeys
  if (since.length > 0 && publicKeys.length === 0)
    throw new Error('--since needs the public key that has signed: --key FILE')
  return { publicKeys, notes: [...kept.notes, ...since] }
}

async function readKeyFiles(paths: readonly string[]): Promise<readonly Uint8Array[]> {
  return Promise.all(
    paths.map(async (path) => {
      const key = readPublicKey(await readFile(path, 'utf8'))
      if (!key) throw new Error(`${path} is no public Ed25519 key (PEM, base64 of 32 bytes, or name+id+key)`)
      return key
    }),
  )
}

async function withDatabase<Value>(config: Config, work: (database: Database) => Promise<Value>): Promise<Value> {
  const database = await openDatabase(config, systemClock, () => {})
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

async function verify(request: Request): Promise<number> {
  const { exportPath } = request
  const config = exportPath === undefined ? readConfig('database') : undefined
  const evidence = await readEvidence(request, config)
  const integrity =
    exportPath === undefined
      ? await withDatabase(config as Config, (database) => verifyLedger(database, evidence))
      : await verifyExport(() => readLines(exportPath), evidence)
  process.stdout.write(`${request.isJson ? JSON.stringify(integrity) : formatIntegrity(integrity)}\n`)
  return integrity.status === 'intact' ? EXIT_CODE.upToDate : EXIT_CODE.failed
}

function formatIntegrity(integrity: Integrity): string {
  const { entries, chains, signed, unended } = integrity
  const size = `entries ${entries}, chains ${chains}, ${signed === null ? 'checkpoints not checked: no key' : `signed ${signed}`}`
  const open = unended.map(({ chain, seq }) => `\nwithout an end: chain ${chain}, last entry ${seq}`).join('')
  if (integrity.status === 'intact') return `intact: ${size}${open}`
  return `broken: entry ${integrity.seq} of chain ${integrity.chain}: ${integrity.reason} (read: ${size})${open}`
}

async function exportLedger(): Promise<number> {
  return withDatabase(readConfig('database'), async (database) => {
    for await (const line of exportLines(database, systemClock.nowMs())) {
      if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
    return EXIT_CODE.upToDate
  })
}

async function prove({ auditId }: Request): Promise<number> {
  return withDatabase(readConfig('database'), async (database) => {
    const result = await proveEntry(database, auditId)
    if (result.status === 'proven') process.stdout.write(result.proof)
    else process.stderr.write(`tappass audit: ${auditId} ${PROBLEMS[result.status]}\n`)
    return result.status === 'proven' ? EXIT_CODE.upToDate : EXIT_CODE.failed
  })
}

const PROBLEMS = { unknown: 'is not in the ledger', unsigned: 'is not covered by a checkpoint yet' } as const

const ACTIONS = { verify, export: exportLedger, proof: prove } as const

async function main(): Promise<void> {
  const request = parseRequest(process.argv.slice(2))
  if (request === undefined) {
    process.stderr.write(`${USAGE}\n`)
    process.exitCode = EXIT_CODE.usage
    return
  }
  try {
    process.exitCode = await ACTIONS[request.action](request)
  } catch (cause) {
    process.stderr.write(`tappass audit: ${cause instanceof Error ? cause.message : String(cause)}\n`)
    process.exitCode = EXIT_CODE.failed
  }
}

if (import.meta.main) await main()
