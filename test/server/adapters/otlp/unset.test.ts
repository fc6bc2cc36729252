/** Without an endpoint a gateway that serves has loaded nothing of OpenTelemetry; with one it has. On one Node: what is loaded does not depend on it. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { ADMIN_KEY, chat } from '../../running-gateway.ts'

const MAIN = join(import.meta.dirname, '../../../../server/main.ts')

/** Runs before all else in the process, and names each module of packages for OpenTelemetry, or of our own folder, that is loaded. */
const HOOK = `import { registerHooks } from 'node:module'
registerHooks({ load: (url, context, next) => {
  const [, name] = /(@opentelemetry\\/[\\w-]+|server\\/adapters\\/otlp)\\//.exec(url) ?? []
  if (name) process.stderr.write('LOADED ' + name + '\\n')
  return next(url, context)
} })`

/** Starts the gateway's process, has it answer a call, and gives what it has loaded. */
async function loadedBy(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const execArgv = [
    '--disable-warning=ExperimentalWarning',
    '--import',
    `data:text/javascript,${encodeURIComponent(HOOK)}`,
  ]
  const env = { TAPPASS_PORT: '0', TAPPASS_LOG_LEVEL: 'silent', TAPPASS_ADMIN_API_KEY: ADMIN_KEY, ...environment }
  const child = fork(MAIN, { execArgv, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let told = ''
  child.stderr?.on('data', (part) => {
    told += String(part)
  })
  const exited = once(child, 'exit')
  const [ready] = (await once(child, 'message')) as [Readonly<{ url: string } | { url?: undefined; message: string }>]
  if (ready.url === undefined) throw new Error(ready.message)
  const { url } = ready
  const post = async (path: string, key: string, body: object): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const made = (await (await post('/agents', ADMIN_KEY, { agent_id: 'tester' })).json()) as { api_key: string }
  assert.equal((await post('/chat/completions', made.api_key, chat('hello', { model: 'echo' }))).status, 200)
  child.disconnect()
  await exited
  return [...new Set(told.match(/(?<=LOADED ).+/g))].toSorted()
}

/** prom-client loads it, for exemplars of its own; it is an interface without an implementation. */
const OF_METRICS = ['@opentelemetry/api']

test('no endpoint: nothing of OpenTelemetry is loaded, whatever the other settings say', async () => {
  const others = { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
  assert.deepEqual(await loadedBy(others), OF_METRICS)
})

test('an endpoint: it is', async () => {
  const loaded = await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  for (const name of ['@opentelemetry/sdk-trace', '@opentelemetry/otlp-transformer', 'server/adapters/otlp'])
    assert.ok(loaded.includes(name), name)
})
