/** A process of its own for pglite.test.ts: writes rows into a folder for ever, and says each number once it is durable. */
import { openPglite } from '../../../../server/adapters/pglite/pglite.ts'

// Root may read everything; a test that needs somebody else gives a user id.
const [folder = '', first = '0', userId] = process.argv.slice(2)
if (userId !== undefined) process.setuid?.(Number(userId))
const database = await openPglite({ folder, nowMs: Date.now })
process.stdout.write('open\n')
await database.script('CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY, filler text NOT NULL)')
const filler = 'x'.repeat(500)
for (let n = Number(first); ; n++) {
  if (n % 2 === 0) await database.query('INSERT INTO written VALUES ($1, $2)', [n, filler])
  else
    await database.transaction(async (inside) => {
      await inside.query('INSERT INTO written VALUES ($1, $2)', [n, ''])
      await inside.query('UPDATE written SET filler = $2 WHERE n = $1', [n, filler])
    })
  process.stdout.write(`${n}\n`)
}
