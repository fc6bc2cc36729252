/** Settings of `tappass up`, from flags, stored answers or the wizard: parsed and validated. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { GATEWAY_PORT } from '../../contract/gateway.ts'
import { secretProblem } from '../../contract/secret.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'

/** The kinds of storage of the gateway. */
export const STORAGES = ['memory', 'local', 'supabase'] as const
export type Storage = (typeof STORAGES)[number]

function invalidSetting(what: string, where: string, next: string, why?: string): Failure {
  return new Failure({ what, where, next, ...(why === undefined ? {} : { why }) }, EXIT_CODE.refused)
}

/** Parses a TCP port, 0 for any free one. Throws a usage failure. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw usageFailure(`"--port" must be a number from 0 to 65535, not "${text}"`, `tappass up --port ${GATEWAY_PORT}`)
}

/** Parses the base URL of an OpenAI-compatible server (`https://host/v1`); returns it without trailing slash. Throws a usage failure. */
export function parseUpstream(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw usageFailure(
      `"--upstream" must be an http(s) URL, not "${text}"`,
      'tappass up --upstream http://127.0.0.1:8000/v1',
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw usageFailure(
      '"--upstream" must not contain a password: other users of this machine can read it',
      'tappass up --provider-key-file FILE',
    )
  }
  return text.replace(/\/+$/, '')
}

/** Reads a file with one secret, given on the command line. Throws a `Failure` (exit 5). */
export function readSecretFile(folder: string, file: string, option: string): string {
  const path = resolve(folder, file)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw invalidSetting(
      `cannot read the file of --${option}`,
      path,
      `check the path: ${quoteAll(['ls', '-l', path])}`,
      (error as Error).message,
    )
  }
}

/** Validates a provider's API key: its form; OpenAI's begin with sk-. Throws a `Failure` (exit 5) that never shows the key. */
export function checkProviderKey(key: string, upstream: string | undefined, where: string): string {
  const next = 'use a file with nothing but the key in it: tappass up --provider-key-file FILE'
  const problem = secretProblem('OPENAI_API_KEY', key)
  if (problem !== undefined) throw invalidSetting('invalid provider API key', where, next, `it ${problem}`)
  if (upstream === undefined && !key.startsWith('sk-')) {
    throw invalidSetting(
      'invalid OpenAI API key',
      where,
      'for another provider, add its address: --upstream URL',
      'OpenAI API keys begin with sk-',
    )
  }
  return key
}

/** Validates the form of a license: a signed token in three parts (JWS). The gateway verifies its signature. Throws a `Failure` (exit 5). */
export function checkLicense(license: string, where: string): string {
  const problem = secretProblem('TAPPASS_LICENSE', license)
  if (problem === undefined) return license
  throw invalidSetting('invalid license', where, 'run without --license to use the community tier', `it ${problem}`)
}

/** Separates the password from a PostgreSQL connection string, so that only the rest is in the environment. */
export function splitConnectionString(
  text: string,
  where: string,
): Readonly<{ url: string; password: string | undefined }> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'postgresql:' && url?.protocol !== 'postgres:') {
    const next = 'copy it from Supabase: Project settings → Database → Connection string → URI (postgresql://…)'
    throw invalidSetting(
      'invalid Supabase connection string',
      where,
      next,
      'a connection string begins with postgresql://',
    )
  }
  const password = url.password === '' ? undefined : decodeURIComponent(url.password)
  url.password = ''
  return { url: url.href, password }
}
