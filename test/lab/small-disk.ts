/**
 * A gateway with its PostgreSQL on a small disk that fills and gets room again: what its calls are answered, as one line of JSON. The disk is `TMPDIR`, in a mount
 * namespace of its own (disk-full.test.ts).
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentialId, MADE_SECRET_NAMES } from '../../contract/secret.ts'
import { createTestHost } from '../server/backup-host.ts'
import { roleUrl } from '../server/divided-roles.ts'
import { execute } from './execution.ts'

const disk = tmpdir()
const root = join(import.meta.dirname, '../..')
const host = await createTestHost()
const checkpoints = join(host.root, 'own-checkpoints')
mkdirSync(checkpoints)
const secrets = [...MADE_SECRET_NAMES, 'POSTGRES_PASSWORD' as const]
const env = {
  ...{ PATH: process.env['PATH'], TAPPASS_ENV: 'production', TAPPASS_STORAGE: 'local', TAPPASS_INSTANCE: '1' },
  ...{ DATABASE_URL: roleUrl(host.server, 'tappass'), TAPPASS_CHECKPOINT_DIR: checkpoints, TAPPASS_PORT: '0' },
  TAPPASS_LOG_LEVEL: 'silent',
  ...Object.fromEntries(secrets.map((name) => [`${name}_FILE`, join(host.credentials, credentialId(name))])),
}
const gateway = fork(join(root, 'server/main.ts'), { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
const [{ url }] = (await once(gateway, 'message')) as [{ url: string }]
const admin = readFileSync(join(host.credentials, credentialId('TAPPASS_ADMIN_API_KEY')), 'utf8').trim()

async function ask(path: string, key: string, body?: unknown) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(url + path, init)
  const id = response.headers.get('x-request-id') ?? ''
  return { status: response.status, id, json: JSON.parse(await response.text()) }
}

const { api_key: key } = (await ask('/agents', admin, { agent_id: 'bot' })).json
const messages = [{ role: 'user', content: 'good day' }]
const call = () => ask('/v1/chat/completions', key, { model: 'echo', messages })

/** Calls until one is answered so. Returns its id. */
async function until(status: number): Promise<string> {
  for (let tries = 0; tries < 240; tries += 1) {
    const answer = await call()
    if (answer.status === status) return answer.id
    await sleep(250)
  }
  throw new Error(`no call was answered with ${status}`)
}

const first = (await call()).status
const { bavail, blocks, bsize } = await statfs(disk)
// Half of the reserve is left.
const filler = Math.floor((bavail - blocks / 40) * bsize)
await execute(['sh', '-c', `head -c ${filler} /dev/zero >'${disk}/filler'`])
const refused = await until(503)
const entries = (await ask(`/audit?request_id=${refused}`, admin)).json.data as readonly { decision: string }[]
// Then nothing.
await execute(['sh', '-c', `cat /dev/zero >'${disk}/rest' 2>/dev/null`])
const full: number[] = []
for (let count = 0; count < 20; count += 1) full.push((await call()).status)
for (const name of ['filler', 'rest']) rmSync(join(disk, name))
await until(200)
gateway.kill('SIGTERM')
await once(gateway, 'exit')
const verified = await execute([process.execPath, join(root, 'server/audit.ts'), 'verify'], { env })
await host.dispose()
const decisions = entries.map(({ decision }) => decision)
process.stdout.write(`${JSON.stringify({ first, decisions, full: [...new Set(full)], verified: verified.stdout })}\n`)
