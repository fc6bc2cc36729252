/** A session of `tappass up`, from answers to a gateway that serves: data folder, credentials, process, first agent. */

import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { credentialId } from '../../contract/secret.ts'
import { createGatewayClient, createHttpTransport } from '../control/gateway-client.ts'
import { Failure } from '../core/failure.ts'
import { generateSecrets, type Randomness } from '../secrets/secret-generation.ts'
import {
  checkpointFolder,
  databaseFolder,
  openDataFolder,
  readAgentKey,
  removeJsonFile,
  writeJsonFile,
} from './data-folder.ts'
import { ensureAgent } from './first-agent.ts'
import { answeredSecrets, type ResolvedAnswers, renderEnvironment } from './gateway-environment.ts'
import { type RunningGateway, startGateway } from './gateway-process.ts'
import { type Secrets, writeSecrets } from './local-secret.ts'
import { verifyProviderKey } from './provider-check.ts'
import type { ServingGateway } from './welcome-screen.ts'

/** What a session needs. `environment` is that of the command, `entry` the main file of the gateway. */
export type SessionOptions = Readonly<{
  answers: ResolvedAnswers
  hasAnswered: boolean
  port: number
  upstream: string | undefined
  dataPath: string
  entry: string
  environment: Readonly<Record<string, string | undefined>>
  random: Randomness
  onLogLine: (line: string) => void
  interrupt: AbortSignal
}>

/** A gateway that serves, and what to show about it. `close` unlocks the data folder. */
export type Session = Readonly<{ gateway: RunningGateway; serving: ServingGateway; close: () => void }>

const READY_TIMEOUT_MS = 60_000
const PROVIDER_TIMEOUT_MS = 2000

type PersistedState = Readonly<{
  secrets: Secrets
  close: () => void
  recordGateway: (pid: number) => void
  path: string | undefined
}>

function openState({ answers, dataPath, random, hasAnswered }: SessionOptions): PersistedState {
  if (answers.storage === 'memory') {
    return { secrets: generateSecrets(random), close: () => undefined, recordGateway: () => undefined, path: undefined }
  }
  const folder = openDataFolder(dataPath, random, hasAnswered ? answeredSecrets(answers) : {})
  if (hasAnswered) {
    const { storage, supabaseUrl } = answers
    writeJsonFile(dataPath, 'answers.json', { storage, ...(supabaseUrl === undefined ? {} : { supabaseUrl }) })
  }
  const close = () => {
    removeJsonFile(dataPath, 'serving.json')
    folder.lock.unlock()
  }
  return { secrets: folder.secrets, close, recordGateway: folder.lock.recordGateway, path: dataPath }
}

async function checkProvider({ answers, upstream, onLogLine }: SessionOptions): Promise<void> {
  if (answers.providerKey === undefined) return
  const status = await verifyProviderKey(answers.providerKey, upstream, PROVIDER_TIMEOUT_MS)
  if (status === 'unknown') onLogLine('cannot verify the API key: the provider did not respond to it')
  if (status !== 'rejected') return
  throw new Failure(
    {
      what: 'the provider rejects the API key',
      where: upstream ?? 'OpenAI',
      next: 'use a valid key: tappass up --provider-key-file FILE',
    },
    EXIT_CODE.refused,
  )
}

/** Writes the credentials of a run to a folder that only this user can enter, and removes it once the gateway has read it. */
async function withCredentials<T>(
  state: PersistedState,
  answers: ResolvedAnswers,
  environment: SessionOptions['environment'],
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const parent =
    state.path === undefined
      ? mkdtempSync(join(environment['XDG_RUNTIME_DIR'] || tmpdir(), 'tappass-'))
      : join(state.path, `run.${process.pid}`)
  const folder = state.path === undefined ? join(parent, 'credentials') : parent
  try {
    writeSecrets(folder, { ...state.secrets, ...answeredSecrets(answers) })
    return await work(folder)
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

/** Returns the id of the first agent, different for each machine where the database is shared. */
function agentId({ storage }: ResolvedAnswers): string {
  return storage === 'supabase'
    ? `first-agent-${hostname()
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')}`
    : 'first-agent'
}

async function serve(options: SessionOptions, state: PersistedState): Promise<Session> {
  const { answers, port, upstream, entry, environment, onLogLine, interrupt } = options
  await checkProvider(options)
  const gateway = await withCredentials(state, answers, environment, (credentialsFolder) => {
    const gatewayEnvironment = renderEnvironment(environment, {
      answers,
      port,
      upstream,
      databaseFolder: databaseFolder(options.dataPath),
      checkpointFolder: checkpointFolder(options.dataPath),
      credentialsFolder,
    })
    return startGateway(
      { entry, environment: gatewayEnvironment, readyTimeoutMs: READY_TIMEOUT_MS, onLogLine, interrupt },
      state.recordGateway,
    )
  })
  try {
    const adminKey = state.secrets[credentialId('TAPPASS_ADMIN_API_KEY')] ?? ''
    const client = createGatewayClient(createHttpTransport(gateway.url), adminKey)
    const known = state.path === undefined ? undefined : readAgentKey(state.path)
    const agent = await ensureAgent(client, agentId(answers), known)
    if (state.path !== undefined) {
      if (agent !== known) writeJsonFile(state.path, 'agent.json', agent)
      writeJsonFile(state.path, 'serving.json', { url: gateway.url })
    }
    return { gateway, serving: { url: gateway.url, adminKey, agent, dataFolder: state.path }, close: state.close }
  } catch (error) {
    await gateway.stop()
    throw error
  }
}

/** Opens a session. Throws a `Failure`, or the interrupt's abort; then nothing is left running or locked. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const state = openState(options)
  try {
    return await serve(options, state)
  } catch (error) {
    state.close()
    throw error
  }
}
