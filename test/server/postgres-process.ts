/**
 * A PostgreSQL 16 as a process, for measurements: `node test/server/postgres-process.ts` prints the address of an empty
 * database and serves it until it gets SIGTERM; then its data are gone.
 */
import { startPostgres } from '../postgres-server.ts'

const server = await startPostgres()
process.once('SIGTERM', async () => {
  await server.dispose()
  process.exit(0)
})
process.stdout.write(`${server.socketUrl()}\n`)
setInterval(() => {}, 60_000)
