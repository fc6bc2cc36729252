/**
 * The server for clients with an SVID (mTLS): the same routes behind another socket. It asks for a certificate and takes any in the handshake, as a handshake that
 * fails has no reply and no record: whether it counts is said of each request.
 */
import { constants, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { SvidTexts } from '../svid/svid-set.ts'
import type { ShownChain } from '../svid/x509-svid.ts'
import { KEEP_ALIVE_MS, REQUEST_TIMEOUT_MS, sendParseError, serveConnections } from './served-connection.ts'

/** Time for a client to complete the handshake. */
const HANDSHAKE_MS = 10_000

/** Certificates that are read of a chain. */
const CERTIFICATES_MAX = 10

/** What the clients of mTLS connections have shown. */
const chains = new WeakMap<object, ShownChain>()

/** What a client has shown: no certificates when it had none to show. Undefined for a connection without mTLS. */
export function shownChain({ socket }: IncomingMessage): ShownChain | undefined {
  return chains.get(socket)
}

/** Options of the server. `onHandshakeFailure` is called for a connection that came to no request. */
export type SvidServerOptions = Readonly<{ newId: () => string; onHandshakeFailure: () => void }>

/** Creates it, without an SVID: until `useSvid` is called it must not listen. */
export function createSvidServer(routes: FastifyInstance, { newId, onHandshakeFailure }: SvidServerOptions): Server {
  const server = createServer(
    {
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      handshakeTimeout: HANDSHAKE_MS,
    },
    (request, response) => routes.routing(request, response),
  )
  server.on('secureConnection', (socket) => chains.set(socket, chainOf(socket)))
  serveConnections(server, 'secureConnection')
  server.on('clientError', (_error, socket) => {
    if (chains.has(socket)) return sendParseError(socket as TLSSocket, newId())
    onHandshakeFailure()
    socket.destroy()
  })
  return server
}

/** Serves this SVID, and asks for certificates of this bundle, on all connections from now on. Those that are open stay. */
export function useSvid(server: Server, { certificate, key, bundle }: SvidTexts): void {
  server.setSecureContext({
    cert: certificate,
    key,
    ca: bundle,
    minVersion: 'TLSv1.2',
    // A resumed session would bring back the verdict of its first handshake.
    secureOptions: constants.SSL_OP_NO_TICKET,
  })
}

function chainOf(socket: TLSSocket): ShownChain {
  const certificates: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw && certificates.length < CERTIFICATES_MAX) {
    const { raw, issuerCertificate }: DetailedPeerCertificate = next
    certificates.push(new X509Certificate(raw))
    next = issuerCertificate?.raw?.equals(raw) ? undefined : issuerCertificate
  }
  const error = socket.authorized ? undefined : String(socket.authorizationError ?? 'UNSPECIFIED')
  return { certificates, error }
}
