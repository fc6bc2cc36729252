/** Where a server listens: at an address, or on the socket that systemd opened for several instances. */
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'

/** Connections that are queued for an instance that is starting. */
const BACKLOG = 4096

/** Where to listen. */
export type ListenAddress =
  | Readonly<{ kind: 'descriptor'; fd: number }>
  | Readonly<{ kind: 'address'; host: string; port: number }>

/** Listens, and returns the URL. Throws with one sentence when the address is in use. */
export async function listen(server: Server | TlsServer, listenAddress: ListenAddress): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(cause as NodeJS.ErrnoException, listenAddress)))
    // For a descriptor Node reads the backlog from here only; without it, its 511 would replace the unit's value.
    if (listenAddress.kind === 'descriptor') server.listen({ fd: listenAddress.fd }, BACKLOG, resolve)
    else server.listen({ host: listenAddress.host, port: listenAddress.port, backlog: BACKLOG }, resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) return String(address)
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  const scheme = server instanceof TlsServer ? 'https' : 'http'
  return `${scheme}://${host}:${address.port}`
}

function listenError(cause: NodeJS.ErrnoException, listenAddress: ListenAddress): Error {
  const where =
    listenAddress.kind === 'descriptor'
      ? `the socket that systemd opened (${listenAddress.fd})`
      : `${listenAddress.host}:${listenAddress.port}`
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program listens there; stop it, or set TAPPASS_PORT',
    EACCES: 'this user may not; set TAPPASS_PORT to 1024 or more',
    EADDRNOTAVAIL: 'this machine has no such address; set TAPPASS_HOST',
  }
  return new Error(`can't listen on ${where}: ${reasons[cause.code ?? ''] ?? cause.message}`, { cause })
}
