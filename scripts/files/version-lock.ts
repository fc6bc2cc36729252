/** `versions.lock` on a host: which bytes were first accepted under a name and version. Something else under the same name later is refused. */
import { parse } from 'yaml'
import { HOST_PATH } from '../../contract/path.ts'
import { refusedFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import type { Accepted } from '../core/resource.ts'
import { contentFact } from '../facts/path.ts'

/** The digests by name, as they stand in the file. */
export type LockedDigests = Readonly<Record<string, string>>

function isDigests(value: unknown): value is LockedDigests {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((digest) => typeof digest === 'string')
  )
}

/** Each image and archive of a host reads the same text. */
const parsed = new Map<string, LockedDigests | undefined>()

function digestsIn(text: string): LockedDigests | undefined {
  if (!parsed.has(text)) parsed.set(text, parseDigests(text))
  return parsed.get(text)
}

function parseDigests(text: string): LockedDigests | undefined {
  try {
    const content: unknown = parse(text)
    const digests = (content as { digests?: unknown } | null)?.digests ?? {}
    return isDigests(digests) ? digests : undefined
  } catch {
    return undefined
  }
}

/** Returns the digests of a host's file; none where there is no file yet. Throws a `Failure` (exit 5) for one that can't be read: with another one in its place everything would be accepted. */
export async function readLockedDigests(getFact: GetFact): Promise<LockedDigests> {
  const text = await getFact(contentFact(HOST_PATH.versions))
  const digests = text === undefined ? {} : digestsIn(text)
  if (digests !== undefined) return digests
  throw refusedFailure(
    `${HOST_PATH.versions} cannot be read`,
    'it says which images and files were first accepted, and everything would be accepted without it',
    `put back one that an earlier run wrote (tappass at N --file ${HOST_PATH.versions}), or remove the file`,
  )
}

/** Throws a `Failure` (exit 5) when something else was accepted under that name before. */
export function assertAccepted(digests: LockedDigests, { name, digest }: Accepted): void {
  const locked = digests[name]
  if (locked === undefined || locked === digest) return
  throw refusedFailure(
    `${name} is another one than was first accepted under this version`,
    `accepted was ${locked}, now it is ${digest}`,
    `find out who changed it; if it is meant, remove its row from ${HOST_PATH.versions} on the host, and run the same command again`,
  )
}
