/** One run of `tappass up` from answers to a gateway that serves: folders, credentials, process, first agent. */
import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectGateway, exchangeOverHttp } from '../control/gateway-client.ts'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { databaseFolder, openDataFolder, readAgentKey, removeNote, writeNote } from './data-folder.ts'
import { obtainAgent } from './first-agent.ts'
import { answeredSecrets, type Decided, renderEnvironment } from './gateway-environment.ts'
import { type RunningGateway, startGateway } from './gateway-process.ts'
import { makeSecrets, type Randomness, type Secrets, writeSecrets } from './local-secret.ts'
import { askProvider } from './provider-check.ts'
import type { Serving } from './welcome-screen.ts'

/** What a session is made from. `around` is the environment of the command, `entry` the gateway's main file. */
export type SessionStart = Readonly<{
  decided: Decided
  hasAnswered: boolean
  port: number
  upstream: string | undefined
  dataPath: string
  entry: string
  around: Readonly<Record<string, string | undefined>>
  random: Randomness
  tell: (line: string) => void
  interrupt: AbortSignal
}>

/** A gateway that serves, and what to tell about it. `close` releases the data folder. */
export type Session = Readonly<{ gateway: RunningGateway; serving: Serving; close: () => void }>

const READY_TIMEOUT_MS = 60_000
const PROVIDER_TIMEOUT_MS = 2000

type Kept = Readonly<{
  secrets: Secrets
  close: () => void
  nameGateway: (pid: number) => void
  path: string | undefined
}>

function openKept({ decided, dataPath, random, hasAnswered }: SessionStart): Kept {
  if (decided.storage === 'memory') {
    return { secrets: makeSecrets(random), close: () => undefined, nameGateway: () => undefined, path: undefined }
  }
  const folder = openDataFolder(dataPath, random, hasAnswered ? answeredSecrets(decided) : {})
  if (hasAnswered) {
    const { storage, supabaseUrl } = decided
    writeNote(dataPath, 'answers.json', { storage, ...(supabaseUrl === undefined ? {} : { supabaseUrl }) })
  }
  const close = () => {
    removeNote(dataPath, 'serving.json')
    folder.lock.release()
  }
  return { secrets: folder.secrets, close, nameGateway: folder.lock.nameGateway, path: dataPath }
}

async function checkProvider({ decided, upstream, tell }: SessionStart): Promise<void> {
  if (decided.providerKey === undefined) return
  const opinion = await askProvider(decided.providerKey, upstream, PROVIDER_TIMEOUT_MS)
  if (opinion === 'unknown') tell('the provider could not be asked whether it takes the key')
  if (opinion !== 'refused') return
  throw new Failure(
    {
      what: 'the provider refuses the key',
      where: upstream ?? 'OpenAI',
      next: 'give one that it takes: tappass up --provider-key-file FILE',
    },
    EXIT_CODE.refused,
  )
}

/** The credentials of one run, in a folder that only this user can enter and that is gone once the gateway has read it. */
async function withCredentials<T>(
  kept: Kept,
  decided: Decided,
  around: SessionStart['around'],
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const parent =
    kept.path === undefined
      ? mkdtempSync(join(around['XDG_RUNTIME_DIR'] || tmpdir(), 'tappass-'))
      : join(kept.path, `run.${process.pid}`)
  const folder = kept.path === undefined ? join(parent, 'credentials') : parent
  try {
    writeSecrets(folder, { ...kept.secrets, ...answeredSecrets(decided) })
    return await work(folder)
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

/** An agent id of its own for each machine where a database is shared. */
function agentId({ storage }: Decided): string {
  return storage === 'supabase'
    ? `first-agent-${hostname()
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')}`
    : 'first-agent'
}

async function serve(start: SessionStart, kept: Kept): Promise<Session> {
  const { decided, port, upstream, entry, around, tell, interrupt } = start
  await checkProvider(start)
  const gateway = await withCredentials(kept, decided, around, (credentialsFolder) => {
    const environment = renderEnvironment(around, {
      decided,
      port,
      upstream,
      databaseFolder: databaseFolder(start.dataPath),
      credentialsFolder,
    })
    return startGateway({ entry, environment, readyTimeoutMs: READY_TIMEOUT_MS, tell, interrupt }, kept.nameGateway)
  })
  try {
    const adminKey = kept.secrets['tappass-admin-api-key'] ?? ''
    const client = connectGateway(exchangeOverHttp(gateway.url), adminKey)
    const known = kept.path === undefined ? undefined : readAgentKey(kept.path)
    const agent = await obtainAgent(client, agentId(decided), known)
    if (kept.path !== undefined) {
      if (agent !== known) writeNote(kept.path, 'agent.json', agent)
      writeNote(kept.path, 'serving.json', { url: gateway.url })
    }
    return { gateway, serving: { url: gateway.url, adminKey, agent, keptIn: kept.path }, close: kept.close }
  } catch (error) {
    await gateway.stop()
    throw error
  }
}

/** Opens a session. Throws a Failure, or the interrupt's abort; nothing is left running or locked then. */
export async function openSession(start: SessionStart): Promise<Session> {
  const kept = openKept(start)
  try {
    return await serve(start, kept)
  } catch (error) {
    kept.close()
    throw error
  }
}
