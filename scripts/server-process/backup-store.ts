/** Backups in a store, from this machine: what there is, and fetching one. Nothing but the store and the recovery key is needed. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isBackupName } from '../../contract/backup-name.ts'
import { STORE_CREDENTIALS, type StoreSecrets, type StoreSettings } from '../../contract/backup-store.ts'
import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'
import { parseIdentities } from '../../contract/recovery-key.ts'
import { readSecret } from '../artifacts/artifact-measurement.ts'
import { commandHint, renderProcessHints } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { parseHostSpec } from '../spec/host-spec.ts'
import { createLineFinder, parseYaml, readNamedFile } from '../spec/yaml-text.ts'
import { storeOf } from '../storage/backup-store-spec.ts'
import { untilEnd } from './server-process.ts'

const ENTRY = 'server/backup-fetch.ts'
const EXAMPLE =
  'tappass backup list --store --config host.yaml --secret backup-store-key-id=FILE --secret backup-store-secret=FILE'

async function readStore(invocation: Invocation): Promise<StoreSettings> {
  const config = textOption(invocation, 'config')
  if (config === undefined)
    throw usageFailure('a store is named by backup.store in host.yaml: give "--config"', EXAMPLE)
  const path = resolve(invocation.workingFolder, config)
  const text = await readNamedFile(path)
  const store = storeOf(parseHostSpec(parseYaml(text, path), path, createLineFinder(text)))
  if (store !== undefined) return store
  throw new Failure(
    { what: `${path} names no store`, why: 'backup.store is not written', next: 'docs/how-to/backup-store.md' },
    EXIT_CODE.usage,
  )
}

async function readSecrets(invocation: Invocation, { kind }: StoreSettings): Promise<StoreSecrets> {
  const options = textOptions(invocation, 'secret')
  const given = await Promise.all(options.map((option) => readSecret(option, invocation.workingFolder)))
  const values = Object.fromEntries(given.map(([id, { readValue }]) => [id, readValue()]))
  const missing = STORE_CREDENTIALS[kind].find((id) => values[id] === undefined)
  if (missing === undefined) return values
  const next = commandHint(
    invocation,
    `backup ${invocation.action}`,
    ...STORE_CREDENTIALS[kind].map((id) => `--secret ${id}=FILE`),
  )
  throw usageFailure(`the store needs the secret ${missing}`, next)
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Failure({ what: `cannot read ${what}`, where: path, next: `ls -l ${path}` }, EXIT_CODE.usage, cause)
  }
}

/** `option` names the file; `-` is standard input. */
function readIdentity(invocation: Invocation, option: 'identity' | 'recovery-key', example: string): string {
  const file = textOption(invocation, option)
  if (file === undefined)
    throw usageFailure(`"backup ${invocation.action}" needs the private half of the recovery key`, example)
  const path = file === '-' ? '/dev/stdin' : resolve(invocation.workingFolder, file)
  const pairs = parseIdentities(readText(path, 'the recovery key'))
  if (pairs !== undefined) return pairs.map(({ identity }) => identity).join('\n')
  throw new Failure(
    {
      what: `${path} is no recovery key`,
      why: 'a line that begins with AGE-SECRET-KEY-1 was expected, or several',
      next: 'the file that "tappass backup key create" has written',
    },
    EXIT_CODE.usage,
  )
}

/** Secrets go in over standard input: they are in no argument, no environment and no file. What it prints goes to `onText`. */
async function runProcess(
  invocation: Invocation,
  request: object,
  onText: (text: string) => void = (text) => invocation.stdout.write(text),
): Promise<ExitCode> {
  const { root, stderr, environment } = invocation
  const proxies = Object.entries(environment).filter(([name]) => /^(https?|no)_proxy$/i.test(name))
  const words = ['--disable-warning=ExperimentalWarning', '--use-system-ca', join(root, ENTRY)]
  const child = spawn(process.execPath, words, {
    env: { ...Object.fromEntries(proxies), ...(proxies.length === 0 ? {} : { NODE_USE_ENV_PROXY: '1' }) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => undefined).end(JSON.stringify(request))
  child.stdout.setEncoding('utf8').on('data', onText)
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.write(renderProcessHints(invocation, text)))
  return await untilEnd(invocation, child)
}

/** Lists the backups in the store. Returns the exit code. */
export async function listStored(invocation: Invocation): Promise<ExitCode> {
  const store = await readStore(invocation)
  const secrets = await readSecrets(invocation, store)
  return await runProcess(invocation, { store, secrets, isJson: isGiven(invocation, 'json') })
}

/** Fetches a backup from the store, or goes on with it. Returns the exit code. */
export async function fetchStored(invocation: Invocation): Promise<ExitCode> {
  const [set = ''] = invocation.operands
  const { workingFolder } = invocation
  if (!isBackupName(set)) throw usageFailure(`"${set}" is not the name of a backup`, EXAMPLE)
  const into = textOption(invocation, 'into')
  if (into === undefined)
    throw usageFailure('"backup fetch" needs a folder', `tappass backup fetch ${set} --identity FILE --into DIR`)
  const folder = resolve(workingFolder, into)
  if (!existsSync(folder))
    throw new Failure({ what: `there is no folder ${folder}`, next: `mkdir -p ${folder}` }, EXIT_CODE.usage)
  const identity = readIdentity(invocation, 'identity', 'tappass backup fetch SET --identity FILE --into DIR')
  const key = textOption(invocation, 'key')
  const keys = key === undefined ? [] : [readText(resolve(workingFolder, key), 'the public key')]
  const store = await readStore(invocation)
  const secrets = await readSecrets(invocation, store)
  return await runProcess(invocation, {
    store,
    secrets,
    set,
    identity,
    into: folder,
    keys,
    isJson: isGiven(invocation, 'json'),
  })
}

/** What a bare machine needs of a set. `secrets` are texts by id; `spire` are files in base64 by name. `schema` is the set's newest migration; `base` is the base backup of a moment that was asked for. */
export type SetForHost = Readonly<{
  set: string
  settings: string
  release: string
  schema: number
  takenAt: string
  secrets: Readonly<Record<string, string>>
  spire: Readonly<Record<string, string>>
  base?: string
}>

/**
 * Reads what the command line says of the store and of the recovery key, and returns what fetches a set from there (the newest without a name) into a folder of this machine and opens
 * it; with a moment (ISO, or `latest`) the newest set before that, and what the moment is made from. Throws a usage failure for what is missing. That throws a `Failure` when there is no such set, or it does not hold.
 */
export async function openStoreForHost(
  invocation: Invocation,
): Promise<(set: string | undefined, folder: string, to?: string) => Promise<SetForHost>> {
  const identity = readIdentity(
    invocation,
    'recovery-key',
    'tappass backup restore --onto root@server --config host.yaml --recovery-key FILE --secret backup-store-secret=FILE',
  )
  const key = textOption(invocation, 'key')
  const keys = key === undefined ? [] : [readText(resolve(invocation.workingFolder, key), 'the public key')]
  const store = await readStore(invocation)
  const secrets = await readSecrets(invocation, store)
  return async (set = '', folder, to = undefined) => {
    const pieces: string[] = []
    const request = { store, secrets, set, identity, into: folder, keys, isForHost: true, to }
    const code = await runProcess(invocation, request, (text) => void pieces.push(text))
    if (code === EXIT_CODE.upToDate) return JSON.parse(pieces.join('')) as SetForHost
    const next = 'tappass backup list --store, with the same --config and --secret, shows what there is'
    throw new Failure({ what: 'the backup was not fetched, and nothing was changed', next }, code)
  }
}
