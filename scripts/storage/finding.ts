/** What is found of storage that somebody else runs, and how a host gets there. */
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { FailureText } from '../core/failure.ts'

/** `refusals`: nothing may be done on the host. `warnings`: it works, and not as it should. */
export type StorageFindings = Readonly<{ refusals: readonly FailureText[]; warnings: readonly FailureText[] }>

/** Nothing to say. */
export const NOTHING_FOUND: StorageFindings = { refusals: [], warnings: [] }

/** Returns the findings of several looks. */
export function allFindings(found: readonly StorageFindings[]): StorageFindings {
  return {
    refusals: found.flatMap(({ refusals }) => refusals),
    warnings: found.flatMap(({ warnings }) => warnings),
  }
}

/** Connects from the host that is looked from. */
export type Dial = (host: string, port: number) => Promise<Duplex>

/** The least version, and below which one a server misses fixes of what we pin ourselves. */
export type VersionFloors = Readonly<{
  atLeast: string
  because: string
  pinned?: Readonly<{ atLeast: string; because: string }> | undefined
}>

/** The other end does not answer, or the host has no way there. */
export class DialError extends Error {
  override readonly name = 'DialError'
}

/** TLS was refused, by either side. */
export class TlsError extends Error {
  override readonly name = 'TlsError'
}

/** Dials; a failure is a `DialError`. */
export async function dialled(dial: Dial, host: string, port: number): Promise<Duplex> {
  return await dial(host, port).catch((cause: Error) => Promise.reject(new DialError(cause.message, { cause })))
}

const TLS_TIMEOUT_MS = 5000

/** Speaks TLS over a connection and checks the certificate; `authority` is in PEM, the system's ones count without it. */
export function secured(
  socket: Duplex,
  { host, authority }: Readonly<{ host: string; authority: string | undefined }>,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({
      socket,
      host,
      // A name in SNI; an address is none.
      ...(/[a-z]/i.test(host) && !host.includes(':') ? { servername: host } : {}),
      ...(authority === undefined ? {} : { ca: authority }),
    })
    const refuse = (why: string, cause?: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new TlsError(why, { cause }))
    }
    // One that speaks no TLS may wait for the end of the line.
    const timer = setTimeout(() => refuse(`no answer in TLS within ${TLS_TIMEOUT_MS / 1000} s`), TLS_TIMEOUT_MS)
    secure.once('secureConnect', () => {
      clearTimeout(timer)
      resolve(secure)
    })
    secure.once('error', (cause) => refuse(cause.message, cause))
    socket.once('close', () => refuse('the connection was closed before TLS was agreed on'))
  })
}

/** Returns what to do where nothing answers. `setting` is the secret with the address. */
export function unreachableFailure(where: string, service: string, setting: string, reason: string): FailureText {
  return {
    what: `${service} cannot be reached from this host`,
    where,
    why: reason,
    next: `check the address in ${setting}, and that a firewall there lets this host in`,
  }
}

/** Returns what to do where TLS was asked for and is not to be had. */
export function tlsFailure(
  where: string,
  service: string,
  reason: string,
  ways: Readonly<{ authority: string; plain: string }>,
): FailureText {
  return {
    what: `TLS with ${service} was refused`,
    where,
    why: reason,
    next: `with an authority of its own: --secret ${ways.authority}=FILE; in a private network, without TLS: ${ways.plain}`,
  }
}
