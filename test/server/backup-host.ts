/**
 * A host with a database that has a signed ledger, for tests of its backups: real PostgreSQL, its tools run by a stand-in for Docker's client, systemd by one that only
 * takes notes. Needs: postgres.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { unpackTar } from 'modern-tar'
import { parsePostgresAddress } from '../../contract/postgres-address.ts'
import { credentialId } from '../../contract/secret.ts'
import { generateSecrets } from '../../scripts/secrets/secret-generation.ts'
import { createCheckpointFolder } from '../../server/adapters/checkpoint-folder.ts'
import { openPostgres } from '../../server/adapters/postgres.ts'
import { createRandom, systemClock } from '../../server/adapters/system.ts'
import { decryptWith } from '../../server/backups/recovery-key.ts'
import { createNoteSigner } from '../../server/checkpoint/signed-note.ts'
import { createCheckpointTable } from '../../server/ledger/checkpoint-table.ts'
import { createLedger } from '../../server/ledger/ledger.ts'
import { execute, type Output } from '../lab/execution.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { divideRoles, ROLE_PASSWORDS, roleUrl } from './divided-roles.ts'
import { ledgerEntry } from './ledger/entry-fixture.ts'
import { createSigning, createSigningKey } from './ledger/signing-fixture.ts'
import { migrate } from './migrate-process.ts'

/** The program of backups, and the one that moves the data elsewhere. */
export const PROGRAM: string = join(import.meta.dirname, '../../server/backup.ts')
const MOVE_PROGRAM = join(import.meta.dirname, '../../server/move.ts')

/** Returns what a sealed file of a set holds, by name. */
export async function unsealed(path: string, identity: string): Promise<Readonly<Record<string, string>>> {
  const tar = await buffer(Readable.from(decryptWith(identity, Readable.from([readFileSync(path)]))))
  const files = await unpackTar(tar)
  return Object.fromEntries(files.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString()]))
}

/** What is done to the tools: more arguments for pg_dump, what becomes of its archive (a body of JavaScript over `bytes`), a line of psql; after which
 * command the program is killed. */
export type Tools = Readonly<{
  dumpWith?: string
  damage?: string
  dumpFails?: true
  psqlSays?: string
  killAt?: string
}>

/** `backups` is the folder of the backups, `credentials` that of the secrets; `calls` returns the lines that the stand-ins took down. */
export type TestHost = Readonly<{
  server: PostgresServer
  root: string
  backups: string
  credentials: string
  asOwner: (sql: string) => Promise<string>
  useTools: (tools: Tools) => void
  calls: () => readonly string[]
  run: (...words: readonly string[]) => Promise<Output>
  move: (...words: readonly string[]) => Promise<Output>
  /** Runs it, and kills it after the first command that has these words. */
  killOnce: (place: string, ...words: readonly string[]) => Promise<Output>
  dispose: () => Promise<void>
}>

/** Runs in place of Docker's client: `exec [--interactive] CONTAINER TOOL ARGUMENT…`. */
function dockerScript(
  server: PostgresServer,
  bin: string,
  { dumpWith = '', damage, dumpFails, psqlSays, killAt }: Tools,
): string {
  const after = [
    ...(psqlSays === undefined
      ? []
      : [
          `case "$tool $*" in psql*tappass_backup*) exec "${server.program('')}/psql" "$@" | sed -u 's/^bytes|.*/${psqlSays}/' ;; esac`,
        ]),
    ...(killAt === undefined
      ? []
      : [`case "$tool $*" in *"${killAt}"*) "${server.program('')}/$tool" "$@"; kill -9 $PPID; exit ;; esac`]),
    ...(dumpFails ? [`[ $tool != pg_dump ] || { printf PGDMP-half; echo 'connection lost' >&2; exit 1; }`] : []),
    ...(damage
      ? [
          `case "$tool $*" in pg_dump*custom*) "${server.program('')}/pg_dump" "$@" | ${process.execPath} ${bin}/damage.mjs; exit ;; esac`,
        ]
      : []),
  ]
  return `#!/bin/sh
shift; [ "$1" != --interactive ] || shift
[ "$1" = tappass-postgres ] || exit 64
tool=$2; shift 2
for word do shift; [ "$word" != /tappass/run ] || word=${server.folder}; set -- "$@" "$word"; done
export PGPORT=${server.port}
[ $tool != pg_dump ] || { echo dumped >>${bin}/calls; set -- "$@" ${dumpWith}; }
${after.join('\n')}
exec "${server.program('')}/$tool" "$@"
`
}

function layTools(server: PostgresServer, bin: string, tools: Tools): void {
  const source = `import { readFileSync } from 'node:fs'
let bytes = readFileSync(0)
${tools.damage ?? ''}
process.stdout.write(bytes)
`
  writeFileSync(join(bin, 'damage.mjs'), source)
  writeFileSync(join(bin, 'docker'), dockerScript(server, bin, tools), { mode: 0o755 })
  writeFileSync(
    join(bin, 'systemctl'),
    `#!/bin/sh\necho "systemctl $*" >>${bin}/calls
${tools.killAt === undefined ? '' : `case "systemctl $*" in *"${tools.killAt}"*) kill -9 $PPID ;; esac`}\n`,
    { mode: 0o755 },
  )
  rmSync(join(bin, 'calls'), { force: true })
}

const CONTENT: Readonly<Record<string, string>> = {
  'etc/tappass/tappass.yaml': 'instances: 2\n',
  'etc/tappass/versions.lock': 'release: 0.0.1\nimages:\n  postgres: postgres:16@sha256:aa\n',
  'var/lib/tappass-history/entries/000001-begun.json': '{"number":1}\n',
}

function layTree(root: string, server: PostgresServer): void {
  for (const folder of ['var/lib/tappass/backup', 'var/lib/tappass/postgres', 'run/tappass'])
    mkdirSync(join(root, folder), { recursive: true })
  symlinkSync(server.folder, join(root, 'run/tappass/postgres'))
  for (const [name, text] of Object.entries(CONTENT)) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

/** Adds a chain of that many entries to the ledger, signed, as a gateway does. */
export async function writeChain(
  { server, root, credentials }: Pick<TestHost, 'server' | 'root' | 'credentials'>,
  entries: number,
) {
  const pem = readFileSync(join(credentials, credentialId('TAPPASS_CHECKPOINT_KEY')), 'utf8')
  const address = parsePostgresAddress(roleUrl(server, 'tappass'))
  const database = openPostgres({ kind: 'local', address, applicationName: 'test', onConnectionLost: () => {} })
  const ledger = createLedger({ database, instance: '1', clock: systemClock, random: createRandom() })
  const folder = createCheckpointFolder(join(root, 'var/lib/tappass/checkpoints'))
  const sign = createSigning(ledger, createNoteSigner(pem), createCheckpointTable(database), folder)
  // Noise, which can't be compressed: most of the dump is data, as it is after a day of use.
  const noise = () => Buffer.from(createRandom().bytes(400)).toString('base64')
  await Promise.all(Array.from({ length: entries }, () => ledger.append(ledgerEntry({ details: { note: noise() } }))))
  await sign()
  await ledger.close()
  await sign()
  await database.close()
}

/** Starts the server and fills it. `settingsOf` returns lines of its settings, given the root of the host. */
export async function createTestHost(settingsOf: (root: string) => readonly string[] = () => []): Promise<TestHost> {
  const root = mkdtempSync(join(tmpdir(), 'tappass-host-'))
  const [credentials, bin] = [join(root, 'credentials'), join(root, 'bin')]
  for (const folder of [credentials, bin]) mkdirSync(folder)
  const server = await startPostgres(settingsOf(root))
  layTree(root, server)
  await divideRoles(server)
  const settings = { DATABASE_URL: roleUrl(server, 'tappass'), DATABASE_OWNER_URL: roleUrl(server, 'tappass_owner') }
  assert.equal((await migrate(settings, 'up')).code, 0)
  const bytes = (count: number) => Buffer.from(createRandom().bytes(count))
  const { privatePem } = createSigningKey()
  const signingKey = () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const secrets = {
    ...generateSecrets({ bytes, signingKey, checkpointKey: () => privatePem }),
    [credentialId('POSTGRES_PASSWORD')]: ROLE_PASSWORDS.runtime,
    // What is not there is an empty line.
    [credentialId('OPENAI_API_KEY')]: '\n',
  }
  for (const [id, text] of Object.entries(secrets)) writeFileSync(join(credentials, id), text)
  await writeChain({ server, root, credentials }, 400)
  const env = { PATH: [bin, process.env['PATH']].join(delimiter) }
  const options = ['--root', root, '--credentials', credentials, '--port', `${server.port}`]
  const useTools = (tools: Tools) => layTools(server, bin, tools)
  useTools({})
  const runner =
    (program: string) =>
    (...words: readonly string[]) =>
      execute([process.execPath, '--disable-warning=ExperimentalWarning', program, ...words, ...options], { env })
  const run = runner(PROGRAM)
  return {
    ...{ server, root, credentials, useTools, backups: join(root, 'var/lib/tappass/backup') },
    asOwner: (sql) => server.superuser(`SET ROLE tappass_owner; ${sql}`, 'tappass'),
    calls: () => {
      try {
        return readFileSync(join(bin, 'calls'), 'utf8').trim().split('\n')
      } catch {
        return []
      }
    },
    killOnce: async (place, ...words) => {
      useTools({ killAt: place })
      const output = await run(...words)
      useTools({})
      return output
    },
    ...{ run, move: runner(MOVE_PROGRAM) },
    dispose: async () => {
      await server.dispose()
      rmSync(root, { recursive: true })
    },
  }
}
