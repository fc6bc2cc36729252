/**
 * Governed calls to the gateway that serves, one after another from several clients, while something is lost: how long none was answered, and whether an answer
 * was given that the ledger does not have. The built-in model answers, so no provider is asked.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROLE } from '../../contract/database-role.ts'
import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'
import { credentialId } from '../../contract/secret.ts'
import { DATABASE, withDatabase } from '../recovery/backup-host.ts'
import type { DrillContext, Figures } from './drill.ts'

/** A call: when it began and ended, by a clock that only runs forward; `id` where it was answered. */
export type Sample = Readonly<{ beginMs: number; endMs: number; isAnswered: boolean; id: string }>

/** The agent of these calls. It is active while a drill needs it. */
export const DRILL_AGENT = 'tappass-drill'

const CLIENTS = 3
const PAUSE_MS = 30
const CALL_MS_MAX = 15_000
const ADMIN_TRIES = 40
const URL_OF_GATEWAY = `http://${GATEWAY_HOST}:${GATEWAY_PORT}`
const QUESTION = 'Is a call answered during a drill?'

/** Calls that are being made. `stop` returns all of them, the first first. */
export type CallLoad = Readonly<{ samples: readonly Sample[]; stop: () => Promise<readonly Sample[]> }>

/**
 * How long after `lossMs` no call was answered that ended from then on: until the first answer to a call that began after the last failure. 0 without a failure;
 * undefined while none was answered since. Pure.
 */
export function outageMs(samples: readonly Sample[], lossMs: number): number | undefined {
  const since = samples.filter(({ endMs }) => endMs >= lossMs)
  const failures = since.filter(({ isAnswered }) => !isAnswered)
  if (failures.length === 0) return 0
  const lastMs = Math.max(...failures.map(({ endMs }) => endMs))
  const answers = since.filter(({ isAnswered, beginMs }) => isAnswered && beginMs >= lastMs).map(({ endMs }) => endMs)
  return answers.length === 0 ? undefined : Math.max(0, Math.round(Math.min(...answers) - lossMs))
}

/** The longest time from `fromMs` on in which no answer came: calls that wait fail nothing, and are not answered either. Pure. */
export function quietMs(samples: readonly Sample[], fromMs: number): number {
  const ends = samples.filter(({ isAnswered, endMs }) => isAnswered && endMs >= fromMs).map(({ endMs }) => endMs)
  const times = [fromMs, ...ends.toSorted((one, other) => one - other)]
  return Math.round(Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? time))))
}

async function administer(
  { host }: DrillContext,
  method: string,
  path: string,
  body?: unknown,
): Promise<Readonly<{ status: number; text: string }>> {
  const key = (await readFile(join(host.credentials ?? '', credentialId('TAPPASS_ADMIN_API_KEY')), 'utf8')).trim()
  const headers = {
    authorization: `Bearer ${key}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await fetch(`${URL_OF_GATEWAY}${path}`, init)
      if (response.status < 500 || tries === ADMIN_TRIES)
        return { status: response.status, text: await response.text() }
    } catch (error) {
      if (tries === ADMIN_TRIES) throw error
    }
    await sleep(500)
  }
}

/** A new key of the drill's agent, which is made where there is none. */
async function keyOfAgent(context: DrillContext): Promise<string> {
  const made = await administer(context, 'POST', '/agents', { agent_id: DRILL_AGENT })
  const { status, text } =
    made.status === 409 ? await administer(context, 'POST', `/agents/${DRILL_AGENT}/rotate-key`) : made
  const { api_key: key } = status < 300 ? (JSON.parse(text) as { api_key?: string }) : {}
  if (key === undefined) throw new Error(`the gateway made no agent for the drill: ${status} ${text.slice(0, 300)}`)
  return key
}

async function callOnce(key: string): Promise<Pick<Sample, 'isAnswered' | 'id'>> {
  try {
    const response = await fetch(`${URL_OF_GATEWAY}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: QUESTION }] }),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    })
    const text = await response.text()
    const isAnswered = response.status === 200 && text.includes(QUESTION)
    return { isAnswered, id: response.headers.get('x-request-id') ?? '' }
  } catch {
    return { isAnswered: false, id: '' }
  }
}

/** Begins. Returns when the first call was answered; throws when none is, before anything is lost. */
async function startLoad(context: DrillContext, key: string): Promise<CallLoad> {
  const { clock } = context
  const samples: Sample[] = []
  let isOver = false
  const client = async (): Promise<void> => {
    while (!isOver) {
      const beginMs = clock.elapsedMs()
      const answer = await callOnce(key)
      samples.push({ beginMs, endMs: clock.elapsedMs(), ...answer })
      await sleep(PAUSE_MS)
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  const stop = async (): Promise<readonly Sample[]> => {
    isOver = true
    await Promise.all(clients)
    return samples
  }
  for (let tries = 0; tries < 100; tries += 1) {
    if (samples.some(({ isAnswered }) => isAnswered)) return { samples, stop }
    await sleep(100)
  }
  await stop()
  throw new Error('no call is answered as it is: nothing was drilled. next: tappass status')
}

/** How long before the loss the first answer was given that the ledger does not have; 0 when it has them all. */
async function lostMs({ host }: DrillContext, samples: readonly Sample[], lossMs: number): Promise<number> {
  const answered = samples.filter(({ isAnswered }) => isAnswered)
  const rows = await withDatabase(host, ROLE.reader, DATABASE.live, (database) =>
    database.query<{ id: string }>(
      'SELECT DISTINCT request_id AS id FROM public.audit_events WHERE request_id = ANY($1::text[])',
      [answered.map(({ id }) => id)],
    ),
  )
  const recorded = new Set(rows.map(({ id }) => id))
  const lost = answered.filter(({ id }) => !recorded.has(id)).map(({ endMs }) => endMs)
  return lost.length === 0 ? 0 : Math.max(1, Math.round(lossMs - Math.min(...lost)))
}

/** Runs `work` while calls are made, and `after` of it with them. The agent of the calls is inactive afterwards, whatever comes of it. */
export async function underLoad(
  context: DrillContext,
  work: (load: CallLoad) => Promise<Readonly<{ lossMs: number; rtoMs: number }>>,
): Promise<Figures & Readonly<{ calls: number; failures: number }>> {
  const key = await keyOfAgent(context)
  try {
    const load = await startLoad(context, key)
    const { lossMs, rtoMs } = await work(load).finally(load.stop)
    const { samples } = load
    const failures = samples.filter(({ isAnswered }) => !isAnswered).length
    return { rtoMs, rpoMs: await lostMs(context, samples, lossMs), calls: samples.length, failures }
  } finally {
    await administer(context, 'DELETE', `/agents/${DRILL_AGENT}`)
  }
}
