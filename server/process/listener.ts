/** Where a server listens: at an address, or on the socket that systemd opened for several instances. */
import type { Server } from 'node:http'

/** Connections that wait for an instance that is starting. */
const BACKLOG = 4096

/** Where to listen. */
export type Place =
  | Readonly<{ kind: 'descriptor'; fd: number }>
  | Readonly<{ kind: 'address'; host: string; port: number }>

/** Listens, and gives the address in a form that people can use. Throws with one sentence when the place is taken. */
export async function listen(server: Server, place: Place): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(explain(cause as NodeJS.ErrnoException, place)))
    // For a descriptor Node reads the backlog from here only; without it, its 511 would replace what the unit says.
    if (place.kind === 'descriptor') server.listen({ fd: place.fd }, BACKLOG, resolve)
    else server.listen({ host: place.host, port: place.port, backlog: BACKLOG }, resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) return String(address)
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

function explain(cause: NodeJS.ErrnoException, place: Place): Error {
  const where =
    place.kind === 'descriptor' ? `the socket that systemd opened (${place.fd})` : `${place.host}:${place.port}`
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program listens there; stop it, or set TAPPASS_PORT',
    EACCES: 'this user may not; set TAPPASS_PORT to 1024 or more',
    EADDRNOTAVAIL: 'this machine has no such address; set TAPPASS_HOST',
  }
  return new Error(`can't listen on ${where}: ${why[cause.code ?? ''] ?? cause.message}`, { cause })
}
