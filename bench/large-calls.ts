/**
 * Measures what memory an instance takes when its room for bodies is full of large calls whose model server does not answer.
 * `node bench/large-calls.ts [--kind text|messages] [--calls 30] [--heap-mb 512]`; one body is one long text, or many short messages.
 * `--heap-mb` is what V8 is told by the gigabyte of the gateway's unit, about.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { residentMb } from './resident-memory.ts'
import { unitFlags } from './unit-flag.ts'

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'messages' },
    calls: { type: 'string', default: '30' },
    'heap-mb': { type: 'string', default: '512' },
  },
})
const ADMIN_KEY = `tp_${'bench-admin-'.repeat(3)}`
const SENTENCE = 'Please read the notes of the last meeting and write a short summary. '
const message = (content: string): object => ({ role: 'user', content })
const messages =
  values.kind === 'text' ? [message(SENTENCE.repeat(70_000))] : Array(45_000).fill(message(SENTENCE.slice(0, 40)))
const body = JSON.stringify({ model: 'silent', messages })

const silent = createServer((request) => void request.resume()).listen(0, '127.0.0.1')
await once(silent, 'listening')
const main = join(import.meta.dirname, '../server/main.ts')
const gateway = spawn(process.execPath, [...unitFlags(), `--max-old-space-size=${values['heap-mb']}`, main], {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  env: {
    PATH: '/usr/bin:/bin',
    TAPPASS_PORT: '0',
    TAPPASS_STORAGE: 'memory',
    TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
    TAPPASS_UPSTREAM_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`,
  },
})
gateway.stdout?.resume()
const [ready] = (await once(gateway, 'message')) as [{ url: string }]

const post = (path: string, key: string, text: string, signal?: AbortSignal): Promise<Response> =>
  fetch(ready.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: text,
    ...(signal ? { signal } : {}),
  })
const agent = (await (await post('/agents', ADMIN_KEY, '{"agent_id":"bench"}')).json()) as { api_key: string }
const startMb = residentMb(gateway.pid ?? 0)
let mostMb = startMb
let refused = 0
const given = new AbortController()
for (let call = 0; call < Number(values.calls); call++) {
  post('/v1/chat/completions', agent.api_key, body, given.signal).then(
    () => (refused += 1),
    () => {},
  )
}
for (let tenths = 0; tenths < 100; tenths++) {
  await sleep(100)
  mostMb = Math.max(mostMb, residentMb(gateway.pid ?? 0))
}
const heldMb = ((Number(values.calls) - refused) * body.length) / 2 ** 20
process.stdout.write(
  `${values.kind}: ${Number(values.calls) - refused} calls of ${(body.length / 2 ** 20).toFixed(1)} MB in hand, ${refused} refused; ` +
    `at the start ${startMb.toFixed(0)} MB, at most ${mostMb.toFixed(0)} MB: ${((mostMb - startMb) / heldMb).toFixed(1)} times the bodies\n`,
)
given.abort()
gateway.kill('SIGTERM')
await once(gateway, 'exit')
silent.closeAllConnections()
silent.close()
