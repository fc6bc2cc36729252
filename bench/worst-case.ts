/**
 * Measures what one body may do to a gateway: how long its event loop stands still, what processor time a call takes, and
 * by how much its memory grows, over bodies and answers that are made to be slow.
 * `node bench/worst-case.ts [--chars 4900000] [--root CLONE] [--only TEXT]`; `--root` measures another clone.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { OTHER_ADVERSARIES, repeatedTo } from './adversary.ts'
import type { ProbeAnswer } from './loop-probe.ts'
import { unitFlags } from './unit-flag.ts'

const { values } = parseArgs({
  options: {
    chars: { type: 'string', default: '4900000' },
    root: { type: 'string', default: join(import.meta.dirname, '..') },
    only: { type: 'string', default: '' },
  },
})
const CHARS = Number(values.chars)
const ADMIN_KEY = `tp_${'bench-admin-'.repeat(3)}`
/** A call that takes longer has stopped the gateway, and a new one is started for the next. */
const GIVE_UP_MS = 60_000

/** A body of the asked size, and the answer that the model server gives to it. */
type Case = Readonly<{ name: string; body: string; answer: string }>

const ANSWER = answerOf('Fine.')

function answerOf(content: string): string {
  const message = { role: 'assistant', content }
  return JSON.stringify({
    id: 'a',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
  })
}

function chatOf(content: unknown, more: object = {}): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more })
}

/** A list as JSON text, of as many items as have room. */
function listOf(item: (index: number) => string): string {
  const items: string[] = []
  for (let chars = 0, index = 0; chars < CHARS; index++) {
    items.push(item(index))
    chars += (items.at(-1)?.length ?? 0) + 1
  }
  return items.join(',')
}

/** Bodies by what they are made of, beside texts. */
function structures(): readonly (readonly [name: string, body: string])[] {
  const start = chatOf('hi').slice(0, -1)
  const inside = (text: string): string => `${start},"metadata":${text}}`
  return [
    ['empty lists', inside(`[${listOf(() => '[]')}]`)],
    ['empty objects', inside(`[${listOf(() => '{}')}]`)],
    ['numbers', inside(`[${listOf(() => '1')}]`)],
    ['long numbers', inside(`[${listOf(() => '4111111111111111')}]`)],
    ['short texts', inside(`[${listOf(() => '"a"')}]`)],
    ['names', inside(`{${listOf((index) => `"k${index}":1`)}}`)],
    ['long names', inside(`{${listOf((index) => `"${'k'.repeat(400)}${index}":"a"`)}}`)],
    [
      'a long name above many texts',
      inside(
        `{"${'k'.repeat(CHARS / 2)}":[${listOf((index) => `"a${index}"`)
          .slice(0, CHARS / 2)
          .replace(/,[^,]*$/, '')}]}`,
      ),
    ],
    ['depth', inside(`${'['.repeat(CHARS / 2)}${']'.repeat(CHARS / 2)}`)],
    ['short messages', `{"model":"m","messages":[${listOf(() => '{"role":"user","content":"Please read it."}')}]}`],
    ['text parts', chatOf('x').replace('"x"', `[${listOf(() => '{"type":"text","text":"ab"}')}]`)],
    [
      'addresses as names',
      inside(
        `{${listOf((index) => `"a${index}@example.com":"a"`)
          .slice(0, 200_000)
          .replace(/,[^,]*$/, '')}}`,
      ),
    ],
    ['no JSON', `{"a":${' '.repeat(CHARS)}`],
  ]
}

/** As much of a text as is CHARS bytes of JSON. */
function fitting(text: string): string {
  const sample = text.slice(0, 10_000)
  return text.slice(0, (CHARS * sample.length) / Buffer.byteLength(JSON.stringify(sample)))
}

function cases(): readonly Case[] {
  const texts = OTHER_ADVERSARIES.map((adversary) => [adversary.name, repeatedTo(CHARS, adversary)] as const)
  return [
    ...texts.map(([name, text]) => ({ name, body: chatOf(fitting(text)), answer: ANSWER })),
    ...structures().map(([name, body]) => ({ name, body, answer: ANSWER })),
    ...texts.map(([name, text]) => ({ name: `answer: ${name}`, body: chatOf('hi'), answer: answerOf(text) })),
    ...structures().map(([name, body]) => ({ name: `answer: ${name}`, body: chatOf('hi'), answer: body })),
  ].filter(({ name }) => name.includes(values.only))
}

let answer = ANSWER
const models = createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(answer))
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
): Promise<Readonly<{ status: number; text: string }>> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(GIVE_UP_MS),
  })
  return { status: response.status, text: await response.text() }
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

type Figures = Readonly<{ status: string; stallMs: number; processorMs: number; grownMb: number }>

/** The best of three calls: what a first one loads and compiles is not the body's. Undefined when the gateway was stopped. */
async function measure(gateway: Measured, one: Case): Promise<Figures | undefined> {
  const runs: Figures[] = []
  answer = one.answer
  try {
    for (let run = 0; run < 3; run++) {
      await sleep(200)
      await probe(gateway)
      writeFileSync(`/proc/${gateway.child.pid}/clear_refs`, '5')
      const startMb = memoryMb(gateway, 'VmRSS')
      const { status, text } = await post(gateway.url, '/v1/chat/completions', gateway.key, one.body)
      const code = /"code":"([\w.]+)"/.exec(text)?.[1] ?? ''
      const { stallMs, processorMs } = await probe(gateway)
      const grownMb = memoryMb(gateway, 'VmHWM') - startMb
      runs.push({ status: `${status} ${code}`.trim(), stallMs, processorMs, grownMb })
    }
  } catch {
    return undefined
  }
  const least = (member: 'stallMs' | 'processorMs' | 'grownMb'): number => Math.min(...runs.map((run) => run[member]))
  return {
    status: runs[0]?.status ?? '',
    stallMs: least('stallMs'),
    processorMs: least('processorMs'),
    grownMb: least('grownMb'),
  }
}

let gateway = await start()
const worst = { stallMs: 0, processorMs: 0, grown: 0, stopped: 0 }
process.stdout.write(
  '| body or answer | MB | reply | event loop stood still, ms | processor, ms | memory grew by, times its size |\n|---|--:|---|--:|--:|--:|\n',
)
for (const one of cases()) {
  const megabytes = Math.max(one.body.length, one.answer.length) / 1e6
  const figures = await measure(gateway, one)
  if (figures === undefined) {
    worst.stopped += 1
    process.stdout.write(`| ${one.name} | ${megabytes.toFixed(1)} | none after ${GIVE_UP_MS / 1000} s | | | |\n`)
    gateway.child.kill('SIGKILL')
    gateway = await start()
    continue
  }
  const { status, stallMs, processorMs, grownMb } = figures
  const grown = grownMb / megabytes
  worst.stallMs = Math.max(worst.stallMs, stallMs)
  worst.processorMs = Math.max(worst.processorMs, processorMs)
  worst.grown = Math.max(worst.grown, grown)
  process.stdout.write(
    `| ${one.name} | ${megabytes.toFixed(1)} | ${status} | ${stallMs.toFixed(0)} | ${processorMs.toFixed(0)} | ${grown.toFixed(1)} |\n`,
  )
}
process.stdout.write(`\nworst: ${JSON.stringify(worst)}\n`)
gateway.child.kill('SIGKILL')
models.close()
