/**
 * The gateways of others that are measured beside ours: which version, how it is installed, how it is started. Nothing of them is
 * part of this repository; the ordinary clients (npm, pip) bring them into a cache folder when they are first asked for.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from './rig.ts'

/** Where a peer is started: its own folder, a folder for what it writes, its log, the model server, its port, and Node. */
export type Place = Readonly<{
  folder: string
  scratch: string
  log: string
  upstream: string
  port: number
  node: string
}>

/** What is brought into a folder of its own. */
export type Installable = Readonly<{
  name: string
  version: string
  /** Files that are put into its folder before it is installed. */
  files: Readonly<Record<string, string>>
  install: (folder: string) => readonly (readonly string[])[]
}>

/** A peer. `key` and `headers` are what its clients send. */
export type Peer = Installable &
  Readonly<{
    /** What it does with a call in this measurement. */
    does: string
    key: string
    headers: (upstream: string) => readonly string[]
    command: (place: Place) => Promise<Command>
  }>

/** How npm is run: nothing of a package is, and it tells of nothing but failures. */
export const NPM_QUIET = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-update-notifier']

const portkey: Peer = {
  name: 'Portkey',
  version: '1.15.2',
  does: 'passes calls on; no check of the caller (it has none of its own), no guardrails, no cache, no retries, no record of calls',
  key: 'stand-in',
  headers: (upstream) => ['x-portkey-provider: openai', `x-portkey-custom-host: ${upstream}/v1`],
  // With the @hono/node-server that npm would take (1.19), and with 1.14.2, it answers every streamed call with 500 (its issue 1389).
  files: { 'package.json': JSON.stringify({ private: true, overrides: { '@hono/node-server': '1.13.8' } }) },
  // Without scripts: its only one, patch-package, has nothing to patch in the published package.
  install: (folder) => [['npm', 'install', ...NPM_QUIET, '--prefix', folder, '@portkey-ai/gateway@1.15.2']],
  command: async ({ folder, port, node, log }) => ({
    argv: [
      node,
      join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js'),
      `--port=${port}`,
      '--headless', // without its console
    ],
    env: { NODE_ENV: 'production' },
    log,
  }),
}

const LITELLM_KEY = `sk-${'bench-'.repeat(4)}`

const litellm: Peer = {
  name: 'LiteLLM',
  // 1.110.2 is the newest, but the registry that we reach lacks packages that it and 1.109.3, 1.108.14, 1.108.13 and 1.108.8 pin.
  version: '1.108.0',
  does: 'passes calls on; checks its master key, no guardrails (Presidio, patterns), no database, no cache, no callbacks; one worker of uvicorn',
  key: LITELLM_KEY,
  headers: () => [],
  files: {},
  install: (folder) => [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', 'litellm[proxy]==1.108.0'],
  ],
  command: async ({ folder, scratch, upstream, port, log }) => {
    const config = join(scratch, 'litellm.json') // JSON is YAML
    const params = { model: 'openai/stand-in', api_base: `${upstream}/v1`, api_key: 'stand-in' }
    await writeFile(
      config,
      JSON.stringify({
        model_list: [{ model_name: 'stand-in', litellm_params: params }],
        general_settings: { master_key: LITELLM_KEY },
        litellm_settings: { telemetry: false, set_verbose: false },
      }),
    )
    const argv = ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1']
    return { argv: [join(folder, 'bin/litellm'), ...argv], env: { HOME: scratch, ...LITELLM_SWITCHES }, log }
  },
}

/** What its documentation says for production, and to keep it from asking anything outside. */
const LITELLM_SWITCHES = {
  LITELLM_MODE: 'PRODUCTION',
  LITELLM_LOG: 'ERROR',
  LITELLM_OFFLINE_MODE: 'true',
  LITELLM_LOCAL_MODEL_COST_MAP: 'true',
  LITELLM_LOCAL_BLOG_POSTS: 'true',
  LITELLM_LOCAL_POLICY_TEMPLATES: 'true',
  LITELLM_LOCAL_AUTOROUTER_PRESETS: 'true',
}

/** All of them. */
export const peers: readonly Peer[] = [portkey, litellm]

/** Installs a peer below the cache folder, unless it is there, of the same recipe. Returns its folder, or why there is none. */
export async function installPeer(peer: Installable, cache: string): Promise<{ folder: string } | { reason: string }> {
  const name = peer.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
  const folder = join(cache, `${name}-${peer.version}`)
  const mark = join(folder, 'installed')
  const recipe = JSON.stringify([peer.files, peer.install(folder)])
  const installed = await readFile(mark, 'utf8').catch(() => '')
  if (installed === recipe) return { folder }
  return await fill(peer, folder, () => writeFile(mark, recipe)).catch((error: Error) => ({ reason: error.message }))
}

async function fill(peer: Installable, folder: string, finish: () => Promise<void>): ReturnType<typeof installPeer> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(peer.files)) await writeFile(join(folder, name), text)
  for (const argv of peer.install(folder)) {
    const reason = await failureOf(argv)
    if (reason !== undefined) return { reason }
  }
  await finish()
  return { folder }
}

/** Runs an installer, ten minutes at most; what it said last when it fails. */
async function failureOf([program = '', ...argv]: readonly string[]): Promise<string | undefined> {
  const child = spawn(program, argv, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 600_000 })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  try {
    const [code] = await once(child, 'close')
    return code === 0 ? undefined : `${program} ended with ${code}: ${text.trim().slice(-400)}`
  } catch (error) {
    return String(error)
  }
}
