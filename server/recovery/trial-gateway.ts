/**
 * A gateway of this release on a restored database: it listens on loopback, knows no provider and no Redis, and answers one governed call. Whoever runs it has a
 * network of its own (the unit), so that nobody else reaches it.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROLE } from '../../contract/database-role.ts'
import { credentialId, MADE_SECRET_NAMES, nextCredentialId } from '../../contract/secret.ts'
import { addressOf, type BackupHost } from './backup-host.ts'

/** How long it may take to be ready, and to end. */
const READY_MS = 120_000
const END_MS = 20_000

/** It serves one call: a young generation as large as that of the ones in force would only cost memory. */
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', '--max-old-space-size=128']

const SECRETS = [...MADE_SECRET_NAMES, 'POSTGRES_PASSWORD'] as const

/** Where it reads them, and their next values while they are rotated: the server may take either password. */
function secretFiles(host: BackupHost, ids: ReadonlySet<string>): Readonly<Record<string, string>> {
  const { credentials = '' } = host
  const files = SECRETS.flatMap((name) => {
    const id = credentialId(name)
    return [
      { setting: `${name}_FILE`, id },
      { setting: `${name}_NEXT_FILE`, id: nextCredentialId(id) },
    ]
  })
  return Object.fromEntries(
    files.filter(({ id }) => ids.has(id)).map(({ setting, id }) => [setting, join(credentials, id)]),
  )
}

function environmentOf(host: BackupHost, database: string, scratch: string): Readonly<Record<string, string>> {
  return {
    TAPPASS_ENV: 'production',
    TAPPASS_STORAGE: 'local',
    DATABASE_URL: addressOf(host, ROLE.gateway, database),
    TAPPASS_CHECKPOINT_DIR: scratch,
    TAPPASS_INSTANCE: 'proof',
    TAPPASS_PORT: '0',
    TAPPASS_LOG_LEVEL: 'warn',
    TAPPASS_DRAIN_SECONDS: '1',
  }
}

type Ready = Readonly<{ type: 'ready'; url: string }> | Readonly<{ type: 'failed'; message: string }>

function untilReady(child: ChildProcess): Promise<string> {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => lines.push(text))
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`the gateway of the proof did not start: ${reason}`))
    const timer = setTimeout(() => fail(`it was not ready within ${READY_MS / 1000} s`), READY_MS)
    const end = (settle: () => void) => {
      clearTimeout(timer)
      settle()
    }
    child.once('error', (error) => end(() => fail(error.message)))
    child.once('exit', (code, signal) =>
      end(() => fail(`it ended with ${code ?? signal}: ${lines.join('').trim().slice(-2000)}`)),
    )
    child.once('message', (message) => {
      const answer = message as Ready
      end(() => (answer.type === 'ready' ? resolve(answer.url) : fail(answer.message)))
    })
  })
}

async function post(url: string, key: string, body: unknown): Promise<Readonly<{ status: number; text: string }>> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, text: await response.text() }
}

const QUESTION = 'Is this backup good?'

/** Makes an agent and has its call answered by the built-in model. Throws for any other answer. */
async function callThrough(url: string, adminKey: string, agentId: string): Promise<string> {
  const agent = await post(`${url}/agents`, adminKey, { agent_id: agentId })
  if (agent.status !== 201)
    throw new Error(`the gateway of the proof made no agent: ${agent.status} ${agent.text.slice(0, 300)}`)
  const { api_key: key } = JSON.parse(agent.text) as { api_key: string }
  const messages = [{ role: 'user', content: QUESTION }]
  const call = await post(`${url}/v1/chat/completions`, key, { model: 'echo', messages })
  if (call.status !== 200 || !call.text.includes(QUESTION))
    throw new Error(`the gateway of the proof did not answer a call: ${call.status} ${call.text.slice(0, 300)}`)
  return `${call.status}`
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const isOver = await Promise.race([ended.then(() => true), sleep(END_MS, false, { ref: false })])
  if (!isOver) child.kill('SIGKILL')
  await ended
}

/**
 * Starts a gateway on the database, with `scratch` for its checkpoints, has it answer a call of an agent of that name, and ends it. Returns the status of the answer.
 */
export async function tryGateway(
  host: BackupHost,
  database: string,
  scratch: string,
  { secrets, agentId }: Readonly<{ secrets: ReadonlyMap<string, Buffer>; agentId: string }>,
): Promise<string> {
  const child = fork(join(host.release, 'server/main.ts'), {
    env: { ...environmentOf(host, database, scratch), ...secretFiles(host, new Set(secrets.keys())) },
    execArgv: NODE_OPTIONS,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    cwd: host.release,
  })
  const adminKey = secrets.get(credentialId('TAPPASS_ADMIN_API_KEY'))?.toString().trim() ?? ''
  try {
    return await callThrough(await untilReady(child), adminKey, agentId)
  } finally {
    await end(child)
  }
}
