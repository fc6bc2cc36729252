/** Files around licenses: the private key of an authority, its public half, tokens. What is wrong with one is told without its content. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { lstatSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'

/** Read or written by somebody else than its owner. */
const OTHERS = 0o077
const OWNER_ONLY = 0o600

function refused(what: string, where: string, why: string, next: string): Failure {
  return new Failure({ what, where, why, next }, EXIT_CODE.refused)
}

function read(what: string, path: string): string {
  try {
    if (!statSync(path).isFile()) throw new Error('it is not a file')
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw refused(`cannot read ${what}`, path, (error as Error).message, quoteAll(['ls', '-l', path]))
  }
}

const MAKE_KEY = 'openssl genpkey -algorithm ed25519 -out authority.pem'

/** Reads the private key of an authority. Throws a `Failure` (exit 5) where others may read it, or it is no Ed25519 key in PEM. */
export function readAuthorityKey(path: string): KeyObject {
  const text = read('the private key', path)
  const mode = statSync(path).mode & 0o777
  if ((mode & OTHERS) !== 0) {
    const why = `its mode is ${mode.toString(8).padStart(4, '0')}: others may read it`
    throw refused('the private key is not private', path, why, quoteAll(['chmod', '600', path]))
  }
  const isPublic = text.includes('PUBLIC KEY')
  try {
    if (isPublic) throw new Error('it is a public key')
    const key = createPrivateKey(text)
    if (key.asymmetricKeyType === 'ed25519') return key
    throw new Error(`it is a key of the type ${key.asymmetricKeyType}: gateways check Ed25519 alone`)
  } catch (error) {
    throw refused('the private key is of no use', path, reasonOf(error), MAKE_KEY)
  }
}

/** OpenSSL's own words are of no help to people. */
function reasonOf(error: unknown): string {
  const { code, message } = error as Error & { code?: string }
  if (code === undefined) return message
  return code === 'ERR_MISSING_PASSPHRASE' || /PASSPHRASE|INTERRUPTED|password/i.test(`${code} ${message}`)
    ? 'it has a passphrase: give one without'
    : 'it is not a key in PEM'
}

/** Reads the public key of an authority as text. Throws a `Failure` (exit 5) for anything else, a private key too. */
export function readAuthority(path: string): string {
  const text = read('the public key', path)
  const next = 'openssl pkey -in authority.pem -pubout -out authority.pub.pem'
  if (text.includes('PRIVATE KEY')) throw refused('the public key is a private one', path, 'keep it to yourself', next)
  try {
    const key = createPublicKey(text)
    if (key.asymmetricKeyType === 'ed25519') return text
    throw new Error(`it is a key of the type ${key.asymmetricKeyType}: gateways check Ed25519 alone`)
  } catch (error) {
    throw refused('the public key is of no use', path, reasonOf(error), next)
  }
}

/** Reads a token, without the line end behind it. */
export function readToken(path: string): string {
  return read('the license', path).trim()
}

/** Writes a token to a new file that only its owner may read. Throws a `Failure` (exit 5) where there is something already. */
export function writeToken(path: string, token: string): void {
  try {
    writeFileSync(path, `${token}\n`, { flag: 'wx', mode: OWNER_ONLY })
  } catch (error) {
    const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined
    const why = isThere ? 'there is something already' : (error as Error).message
    throw refused('cannot write the license', path, why, 'name another file with --out')
  }
}
