/**
 * Measures what one body may do to a gateway: how long its event loop stands still, what processor time a call takes, and
 * by how much its memory grows, over bodies and answers that are made to be slow, and over bodies, answers and streams by chance.
 * `node bench/worst-case.ts [--chars 4900000] [--root CLONE] [--only TEXT] [--bodies 600] [--seed 9]`; `--root` measures another
 * clone, `--only 'by chance'` leaves out what is made to be slow.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { chanceCases } from './chance-case.ts'
import type { ProbeAnswer } from './loop-probe.ts'
import { unitFlags } from './unit-flag.ts'
import { chatOf, worstCases } from './worst-bodies.ts'
import type { Case } from './worst-shapes.ts'

const { values } = parseArgs({
  options: {
    chars: { type: 'string', default: '4900000' },
    root: { type: 'string', default: join(import.meta.dirname, '..') },
    only: { type: 'string', default: '' },
    bodies: { type: 'string', default: '600' },
    seed: { type: 'string', default: '9' },
  },
})
const CHARS = Number(values.chars)
const ADMIN_KEY = `tp_${'bench-admin-'.repeat(3)}`
/** A call that takes longer has stopped the gateway, and a new one is started for the next. */
const GIVE_UP_MS = 60_000

let asked: Pick<Case, 'answer' | 'isStream'> = { answer: '{}', isStream: false }
const models = createServer((request, response) => {
  const isJson = typeof asked.answer === 'string' && asked.answer.startsWith('{')
  const type = asked.isStream && !isJson ? 'text/event-stream' : 'application/json'
  request.resume().on('end', () => response.setHeader('content-type', type).end(asked.answer))
}).listen(0, '127.0.0.1')
await once(models, 'listening')

/** A gateway that is measured, with an agent's key. */
type Measured = Readonly<{ child: ChildProcess; url: string; key: string }>

async function start(): Promise<Measured> {
  const probe = join(import.meta.dirname, 'loop-probe.ts')
  const child = spawn(process.execPath, [...unitFlags(), '--import', probe, join(values.root, 'server/main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: '/usr/bin:/bin',
      TAPPASS_PORT: '0',
      TAPPASS_STORAGE: 'memory',
      TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
      TAPPASS_UPSTREAM_URL: `http://127.0.0.1:${(models.address() as AddressInfo).port}/v1`,
      TAPPASS_RATE_CALLS: '100000000',
      TAPPASS_LOG_LEVEL: 'silent',
    },
  })
  const [ready] = (await once(child, 'message')) as [{ url: string }]
  const made = await post(ready.url, '/agents', ADMIN_KEY, '{"agent_id":"bench"}')
  const { api_key } = JSON.parse(made.text) as { api_key: string }
  // The first large calls load what later ones find loaded.
  for (let call = 0; call < 5; call++)
    await post(ready.url, '/v1/chat/completions', api_key, chatOf('a word '.repeat(100_000)))
  return { child, url: ready.url, key: api_key }
}

async function post(
  url: string,
  path: string,
  key: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Readonly<{ status: number; text: string }>> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(GIVE_UP_MS),
  })
  return { status: response.status, text: await textOf(response) }
}

/** A stream that ends early has its error in its last event, and an unfinished body. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const bytes of response.body ?? []) text = text.slice(-4_096) + decoder.decode(bytes, { stream: true })
  } catch (cause) {
    if ((cause as Error).name !== 'TypeError') throw cause
  }
  return text
}

async function probe({ child }: Measured): Promise<ProbeAnswer> {
  child.send('probe')
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(5_000) })) as [ProbeAnswer]
  return message
}

/** Resident memory in megabytes: now, and the most since it was last reset (proc(5)). */
function memoryMb({ child }: Measured, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
}

type Figures = Readonly<{ status: string; stallMs: number; turnMs: number; processorMs: number; grownMb: number }>

/** The best of three calls: what a first one loads and compiles is not the body's. Undefined when the gateway was stopped. */
async function measure(gateway: Measured, one: Case): Promise<Figures | undefined> {
  const runs: Figures[] = []
  asked = one
  try {
    for (let run = 0; run < 3; run++) {
      await sleep(200)
      await probe(gateway)
      writeFileSync(`/proc/${gateway.child.pid}/clear_refs`, '5')
      const startMb = memoryMb(gateway, 'VmRSS')
      const { status, text } = await post(gateway.url, `/v1${one.path}`, gateway.key, one.body, one.headers)
      const code = /"code":"([\w.]+)"/.exec(text)?.[1] ?? ''
      const { stallMs, turnMs, processorMs } = await probe(gateway)
      const grownMb = memoryMb(gateway, 'VmHWM') - startMb
      runs.push({ status: `${status} ${code}`.trim(), stallMs, turnMs, processorMs, grownMb })
    }
  } catch {
    return undefined
  }
  const least = (member: Exclude<keyof Figures, 'status'>): number => Math.min(...runs.map((run) => run[member]))
  return {
    status: runs[0]?.status ?? '',
    stallMs: least('stallMs'),
    turnMs: least('turnMs'),
    processorMs: least('processorMs'),
    grownMb: least('grownMb'),
  }
}

/** Bodies, answers and streams by chance, one call each; of a small body the memory that it takes can't be told. */
async function worstByChance(): Promise<object> {
  const found = { bodies: 0, stallMs: 0, turnMs: 0, processorMs: 0, heldMb: 0, worst: '' }
  const startMb = memoryMb(gateway, 'VmRSS')
  await probe(gateway)
  for (const one of chanceCases(Number(values.seed), Number(values.bodies))) {
    asked = one
    await post(gateway.url, `/v1${one.path}`, gateway.key, one.body, one.headers)
    const { stallMs, turnMs, processorMs } = await probe(gateway)
    found.bodies += 1
    // The first ones load what later ones find loaded.
    if (found.bodies <= 60) continue
    if (turnMs > found.turnMs) found.worst = one.name
    found.stallMs = Math.max(found.stallMs, stallMs)
    found.turnMs = Math.max(found.turnMs, turnMs)
    found.processorMs = Math.max(found.processorMs, processorMs)
    found.heldMb = Math.max(found.heldMb, memoryMb(gateway, 'VmRSS') - startMb)
  }
  return found
}

let gateway = await start()
const worst = { stallMs: 0, turnMs: 0, processorMs: 0, grown: 0, stopped: 0 }
process.stdout.write(
  '| body or answer | MB | reply | event loop stood still, ms | of that at work, ms | processor, ms | memory grew by, times its size |\n|---|--:|---|--:|--:|--:|--:|\n',
)
for (const one of worstCases(CHARS)) {
  if (!one.name.includes(values.only)) continue
  const megabytes = Math.max(Buffer.byteLength(one.body), Buffer.byteLength(one.answer)) / 1e6
  const figures = await measure(gateway, one)
  if (figures === undefined) {
    worst.stopped += 1
    process.stdout.write(`| ${one.name} | ${megabytes.toFixed(1)} | none after ${GIVE_UP_MS / 1000} s | | | | |\n`)
    gateway.child.kill('SIGKILL')
    gateway = await start()
    continue
  }
  const { status, stallMs, turnMs, processorMs, grownMb } = figures
  const grown = grownMb / megabytes
  worst.turnMs = Math.max(worst.turnMs, turnMs)
  worst.stallMs = Math.max(worst.stallMs, stallMs)
  worst.processorMs = Math.max(worst.processorMs, processorMs)
  worst.grown = Math.max(worst.grown, grown)
  process.stdout.write(
    `| ${one.name} | ${megabytes.toFixed(1)} | ${status} | ${stallMs.toFixed(0)} | ${turnMs.toFixed(0)} | ${processorMs.toFixed(0)} | ${grown.toFixed(1)} |\n`,
  )
}
process.stdout.write(`\nworst: ${JSON.stringify(worst)}\n`)
process.stdout.write(`by chance: ${JSON.stringify(await worstByChance())}\n`)
gateway.child.kill('SIGKILL')
models.close()
