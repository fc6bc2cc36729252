/** What `tappass up` was asked to run: from flags, from the answers kept in the data folder, from the wizard. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure, usageFailure } from '../core/failure.ts'

/** Where the gateway keeps what must outlive it. */
export const STORAGES = ['memory', 'local', 'supabase'] as const
export type Storage = (typeof STORAGES)[number]

function refused(what: string, where: string, next: string, why?: string): Failure {
  return new Failure({ what, where, next, ...(why === undefined ? {} : { why }) }, EXIT_CODE.refused)
}

/** A TCP port, 0 for any free one. Throws a usage failure. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw usageFailure(`"--port" is a number from 0 to 65535, not "${text}"`, 'tappass up --port 9620')
}

/** The base of an OpenAI-compatible server (`https://host/v1`), without a slash at its end. Throws a usage failure. */
export function parseUpstream(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw usageFailure(
      `"--upstream" is an http(s) address, not "${text}"`,
      'tappass up --upstream http://127.0.0.1:8000/v1',
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw usageFailure(
      '"--upstream" must not hold a password: other users can read it',
      'tappass up --provider-key-file FILE',
    )
  }
  return text.replace(/\/+$/, '')
}

/** Reads a file with one secret in it, by its name on the command line. Throws a Failure (exit 5). */
export function readSecretFile(folder: string, file: string, option: string): string {
  const path = resolve(folder, file)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw refused(
      `the file of --${option} can not be read`,
      path,
      `tappass up --${option} FILE`,
      (error as Error).message,
    )
  }
}

/** A provider's key: one line of visible ASCII; OpenAI's own begin with sk-. Throws a Failure (exit 5), never showing it. */
export function checkProviderKey(key: string, upstream: string | undefined, where: string): string {
  const next = 'give the file that holds nothing but the key: tappass up --provider-key-file FILE'
  if (!/^[\x21-\x7e]{8,}$/.test(key))
    throw refused('this is not a provider key', where, next, 'a key is one line of visible characters, 8 at least')
  if (upstream === undefined && !key.startsWith('sk-')) {
    throw refused(
      'this is not an OpenAI key',
      where,
      'for another provider give its address too: --upstream URL',
      'OpenAI’s keys begin with sk-',
    )
  }
  return key
}

/** A license: a signed token in three parts (JWS). Its signature is the gateway's to check. Throws a Failure (exit 5). */
export function checkLicense(license: string, where: string): string {
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(license)) return license
  throw refused(
    'this is not a license',
    where,
    'leave --license out to run the community tier',
    'a license is a signed token of three parts',
  )
}

/** Takes the password out of a PostgreSQL connection string, so that only the rest stands in an environment. */
export function splitConnectionString(
  text: string,
  where: string,
): Readonly<{ url: string; password: string | undefined }> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'postgresql:' && url?.protocol !== 'postgres:') {
    const next = 'Supabase: Project settings → Database → Connection string → URI (postgresql://…)'
    throw refused(
      'Supabase is reached by its PostgreSQL connection string',
      where,
      next,
      'this one does not begin with postgresql://',
    )
  }
  const password = url.password === '' ? undefined : decodeURIComponent(url.password)
  url.password = ''
  return { url: url.href, password }
}
