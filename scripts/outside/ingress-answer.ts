/** What an ingress answers to this machine: through TLS, with which certificate, and whether a gateway is behind it. */
import { request } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { IngressAddress } from './ingress-probe.ts'

/** `problem`: why no gateway answers there. `misfit` and `distrust`: why the certificate is not for that name, and why it is not trusted here. */
export type IngressAnswer = Readonly<{
  problem?: string | undefined
  misfit?: string | undefined
  distrust?: string | undefined
}>

const TIMEOUT_MS = 4_000
const ANSWER_CHARS_MAX = 4096

/** What is said of a certificate that is not for the name, also where it is not trusted. */
function misfitOf(host: string, certificate: PeerCertificate): string | undefined {
  if (certificate.subject === undefined) return 'it has no certificate'
  return checkServerIdentity(host, certificate) === undefined
    ? undefined
    : `its certificate is for ${certificate.subjectaltname ?? 'no name'}, not for ${host}`
}

function certificateOf(host: string, socket: TLSSocket): Pick<IngressAnswer, 'misfit' | 'distrust'> {
  const misfit = misfitOf(host, socket.getPeerCertificate())
  // Of a trusted chain the name is what is wrong, and that is said already.
  const isTrusted = socket.authorized || String(socket.authorizationError) === 'ERR_TLS_CERT_ALTNAME_INVALID'
  return { misfit, distrust: isTrusted ? undefined : `its certificate is not trusted: ${socket.authorizationError}` }
}

/** Returns it. Nothing here waits longer than some seconds, and nothing throws. A gateway that is not well answers, too. */
export function askIngress({ host, port }: IngressAddress, timeoutMs: number = TIMEOUT_MS): Promise<IngressAnswer> {
  const name = isIP(host) === 0 ? { servername: host } : {}
  return new Promise((resolve) => {
    let certificate: Pick<IngressAnswer, 'misfit' | 'distrust'> = {}
    const options = { host, port, path: '/health', ...name, rejectUnauthorized: false, agent: false as const }
    const asked = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, ANSWER_CHARS_MAX)
      })
      response.on('end', () => {
        const isGateway = /"status"\s*:\s*"\w+"/.test(text)
        end({ ...certificate, problem: isGateway ? undefined : `HTTP ${response.statusCode}, and not from a gateway` })
      })
    })
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    const end = (answer: IngressAnswer) => {
      clearTimeout(timer)
      resolve(answer)
    }
    asked.on('socket', (socket) =>
      socket.once('secureConnect', () => {
        certificate = certificateOf(host, socket as TLSSocket)
      }),
    )
    asked.once('error', ({ message, code }: NodeJS.ErrnoException) => end({ problem: message || code || 'no answer' }))
    asked.end()
  })
}
