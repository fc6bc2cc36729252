/**
 * Stands in for server/main.ts where `tappass up` itself is under test: keeps its side of the contract (settings,
 * credentials, IPC, agents' routes, signals) and writes down how it was started. Behaviour by file: `fail`, `die`, `mute`.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..')
const credentials = process.env['CREDENTIALS_DIRECTORY'] ?? ''
const secrets = Object.fromEntries(
  readdirSync(credentials).map((id) => [id, readFileSync(join(credentials, id), 'utf8')]),
)
const modes = Object.fromEntries(
  readdirSync(credentials).map((id) => [id, statSync(join(credentials, id)).mode & 0o777]),
)
writeFileSync(
  join(folder, 'seen.json'),
  JSON.stringify({ environment: process.env, argv: process.argv, secrets, modes }),
)

if (existsSync(join(folder, 'fail'))) {
  process.send?.({ type: 'failed', message: 'the schema is from another planet' })
  process.exit(1)
}
if (existsSync(join(folder, 'die'))) {
  process.stderr.write('out of cheese\n')
  process.exit(7)
}

const registry = join(folder, 'agents.json')
const agents: Record<string, string> = existsSync(registry) ? JSON.parse(readFileSync(registry, 'utf8')) : {}
const newKey = (id: string): string => {
  const key = `tp_${createHash('sha256').update(`${id}${Math.random()}`).digest('hex')}`
  agents[id] = key
  writeFileSync(registry, JSON.stringify(agents))
  return key
}

const listed = ([agent_id, credential]: [string, string]): object =>
  credential.startsWith('spiffe:') ? { agent_id, spiffe_id: credential } : { agent_id }

const route = (method: string, path: string, key: string, body: string): readonly [number, unknown] => {
  if (path === '/v1/models') return [Object.values(agents).includes(key) ? 200 : 401, {}]
  if (key !== secrets['tappass-admin-api-key']) return [401, { error: { message: 'no' } }]
  if (path === '/health/detailed') {
    const license = { org: 'Client Corp', tier: 'enterprise', expires: '2001-01-01' }
    return [200, { status: 'healthy', license, licenseStatus: 'expired' }]
  }
  if (method === 'GET') return [200, Object.entries(agents).map(listed)]
  const id = method === 'POST' && path === '/agents' ? JSON.parse(body).agent_id : (path.split('/')[2] ?? '')
  if (path === '/agents' && id in agents) return [409, { error: { message: 'exists' } }]
  if (!(id in agents) && path !== '/agents') return [404, { error: { message: 'unknown' } }]
  if (method === 'DELETE') {
    delete agents[id]
    writeFileSync(registry, JSON.stringify(agents))
    return [200, { agent_id: id }]
  }
  const spiffe_id = path === '/agents' ? JSON.parse(body).spiffe_id : undefined
  if (typeof spiffe_id === 'string') {
    if (Object.values(agents).includes(spiffe_id)) return [409, { error: { message: 'exists', param: 'spiffe_id' } }]
    agents[id] = spiffe_id
    return [201, { agent_id: id, spiffe_id }]
  }
  return [path === '/agents' ? 201 : 200, { agent_id: id, api_key: newKey(id) }]
}

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const key = (request.headers.authorization ?? '').replace('Bearer ', '')
  const [status, answer] = route(request.method ?? '', request.url ?? '', key, body)
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(answer))
})
server.listen(Number(process.env['TAPPASS_PORT']), '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  if (!existsSync(join(folder, 'mute'))) process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}` })
})
process.on('SIGTERM', () => {
  writeFileSync(join(folder, 'drained'), 'yes')
  server.close(() => process.exit(0))
})
process.on('disconnect', () => process.exit(0))
