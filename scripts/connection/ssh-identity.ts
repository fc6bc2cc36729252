/** The private keys that are offered to a host. */
import { readFileSync } from 'node:fs'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { SshAccess } from './ssh-access.ts'
import { parseKey } from './ssh-library.ts'

function readIdentity(path: string): Buffer {
  const keyFailure = (why: string, next: string, cause?: unknown) =>
    new Failure({ what: `cannot use the SSH key ${path}`, why, next }, EXIT_CODE.usage, cause)
  try {
    const text = readFileSync(path)
    const key = parseKey(text)
    if (!(key instanceof Error)) return text
    const isLocked = /passphrase|encrypted/i.test(key.message)
    throw keyFailure(
      key.message,
      isLocked
        ? `${quoteAll(['ssh-add', path])}, then run the same command again without --identity`
        : `check the file: ${quoteAll(['ssh-keygen', '-y', '-f', path])}`,
    )
  } catch (error) {
    if (error instanceof Failure) throw error
    throw keyFailure(
      error instanceof Error ? error.message : String(error),
      `check the path: ${quoteAll(['ls', '-l', path])}`,
      error,
    )
  }
}

/** The keys that are offered, and why others are not. */
export type Identities = Readonly<{
  keys: readonly Readonly<{ path: string; key: Buffer }>[]
  passedOver: readonly Failure[]
}>

/** Reads the keys of an access. Throws a `Failure` for one that was named and can't be read. */
export function readIdentities({ identities, isUsual }: SshAccess): Identities {
  const keys: Readonly<{ path: string; key: Buffer }>[] = []
  const passedOver: Failure[] = []
  for (const path of identities) {
    try {
      keys.push({ path, key: readIdentity(path) })
    } catch (error) {
      if (!isUsual || !(error instanceof Failure)) throw error
      passedOver.push(error)
    }
  }
  return { keys, passedOver }
}
