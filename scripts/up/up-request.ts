/** Reads and validates the options and environment of `tappass up`; it neither prompts nor changes anything. */

import { join, resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { GATEWAY_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { gatewayInstance } from '../../contract/unit.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import {
  checkLicense,
  checkProviderKey,
  parsePort,
  parseUpstream,
  readSecretFile,
  type Storage,
  splitConnectionString,
} from './up-setting.ts'
import type { Answers } from './wizard.ts'

/** The request. `dataPath` is absolute. What no flag sets is undefined in `known`. */
export type UpRequest = Readonly<{
  port: number
  dataPath: string
  upstream: string | undefined
  isJson: boolean
  known: Answers
}>

/** Returns a secret: from the file of an option, else NAME_FILE, else NAME. Undefined when none is set. */
function findSecret(
  invocation: Invocation,
  option: string,
  name: string,
): Readonly<{ text: string; where: string }> | undefined {
  const { environment, workingFolder } = invocation
  const file = textOption(invocation, option)
  if (file !== undefined) return { text: readSecretFile(workingFolder, file, option), where: file }
  const secretFile = environment[`${name}_FILE`] ?? ''
  if (secretFile !== '') return { text: readSecretFile(workingFolder, secretFile, option), where: secretFile }
  const text = environment[name]?.trim() ?? ''
  return text === '' ? undefined : { text, where: `${name} in the environment` }
}

function findSupabase(invocation: Invocation): Pick<Answers, 'supabaseUrl' | 'supabaseKey'> {
  const option = textOption(invocation, 'supabase-url')
  if (option !== undefined && splitConnectionString(option, '--supabase-url').password !== undefined) {
    const next = 'tappass up --supabase-url postgresql://USER@HOST/NAME --supabase-key-file FILE'
    throw usageFailure('"--supabase-url" must not contain the password: other users of this machine can read it', next)
  }
  const text = option ?? invocation.environment['SUPABASE_URL'] ?? ''
  const key = findSecret(invocation, 'supabase-key-file', 'SUPABASE_KEY')?.text
  if (text === '') return { supabaseUrl: undefined, supabaseKey: key }
  const { url, password } = splitConnectionString(text, 'SUPABASE_URL')
  return { supabaseUrl: url, supabaseKey: key ?? password }
}

/** Reads the request. Throws a `Failure`: exit 64 for an invalid option, 5 for an invalid file or key. */
export function readUpRequest(invocation: Invocation): UpRequest {
  const upstreamText = textOption(invocation, 'upstream')
  const upstream = upstreamText === undefined ? undefined : parseUpstream(upstreamText)
  const storage = textOption(invocation, 'storage') as Storage | undefined
  const license = findSecret(invocation, 'license', 'TAPPASS_LICENSE')
  const providerKey = findSecret(invocation, 'provider-key-file', 'OPENAI_API_KEY')
  const data = textOption(invocation, 'data')
  // A release is compared file by file; a data folder in it would be a change.
  if (data === undefined && invocation.root.startsWith(`${HOST_PATH.releasesFolder}/`)) {
    const why = `its gateway runs as ${gatewayInstance(1)}; tappass up --data DIR runs another one`
    throw new Failure({ what: 'this machine is a server', why, next: 'tappass status' }, EXIT_CODE.refused)
  }
  return {
    port: parsePort(textOption(invocation, 'port') ?? (invocation.environment['TAPPASS_PORT'] || String(GATEWAY_PORT))),
    dataPath: data === undefined ? join(invocation.root, '.tappass', 'data') : resolve(invocation.workingFolder, data),
    upstream,
    isJson: isGiven(invocation, 'json'),
    known: {
      storage,
      license: license && checkLicense(license.text, license.where),
      providerKey: providerKey && checkProviderKey(providerKey.text, upstream, providerKey.where),
      ...(storage === 'supabase' ? findSupabase(invocation) : { supabaseUrl: undefined, supabaseKey: undefined }),
    },
  }
}
