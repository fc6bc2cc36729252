/** A password set in a running server, of every kind of character; and that it stands in no argument and not in the log. Needs: postgres. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parsePostgresAddress } from '../../../contract/postgres-address.ts'
import { setPasswordCommand } from '../../../scripts/secrets/database-password.ts'
import { openPostgres } from '../../../server/adapters/postgres.ts'
import { execute } from '../../lab/execution.ts'
import { type PostgresServer, startPostgres } from '../../postgres-server.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres(["log_statement = 'all'", 'log_min_duration_statement = 0'])
  // In docker's place: psql with the arguments that it would have in the container, but for the socket's folder.
  mkdirSync(join(server.folder, 'bin'))
  const script = `#!/bin/sh\nprintf '%s\\n' "$*" >>${server.folder}/argv\n[ "$1 $2 $3 $4" = "exec --interactive tappass-postgres psql" ] || exit 1
shift 4; exec ${server.program('psql')} --port ${server.port} "$@" --host ${server.folder}\n`
  writeFileSync(join(server.folder, 'bin/docker'), script, { mode: 0o755 })
})
after(() => server.dispose())

const setPassword = async (password: string, role = 'tappass'): Promise<number> => {
  const path = join(server.folder, 'postgres-password')
  writeFileSync(path, password)
  const { argv } = setPasswordCommand('plain', role, 'postgres-password')
  const [program, ...args] = argv.map((word) => word.replace('/etc/credstore/postgres-password', path))
  const env = { PATH: `${server.folder}/bin:${process.env['PATH']}` }
  return (await execute([program ?? '', ...args], { env })).code
}

const logIn = async (password: string): Promise<readonly unknown[]> => {
  const fixed = { kind: 'local', applicationName: 'test', onConnectionLost: () => {} } as const
  const database = openPostgres({ ...fixed, address: parsePostgresAddress(server.tcpUrl()), password })
  return database.query('SELECT 1 AS one').finally(() => database.close())
}

for (const password of ['plain', `it's "q\\uoted" $1 %s :'x'`, 'two\nlines', 'ünïcode', '$(id) `id` ; --']) {
  test(`the role takes ${JSON.stringify(password)}`, async () => {
    assert.equal(await setPassword(password), 0)
    assert.deepEqual(await logIn(password), [{ one: 1 }])
    await assert.rejects(logIn(`${password}x`), /password authentication failed/)
  })
}

test('an empty secret, and a role that is not there, fail and change nothing', async () => {
  assert.equal(await setPassword('good'), 0)
  assert.notEqual(await setPassword(''), 0)
  assert.notEqual(await setPassword('other', 'nobody'), 0)
  assert.deepEqual(await logIn('good'), [{ one: 1 }])
})
