/** The two sides of SVIDs in tests: the folder that spiffe-helper would keep, and a client that shows one. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { type Issued, issue } from './certificate-fixture.ts'

/** The trust domain of tests, the audience of its gateway, and the gateway's own id. */
export const TRUST_DOMAIN = 'example.org'
export const AUDIENCE: string = `spiffe://${TRUST_DOMAIN}/tappass/gateway`

/** What an authority signs tokens with. */
export type TokenKey = Readonly<{ kid: string; privateKey: KeyObject; publicKey: KeyObject }>

/** Makes a key for tokens. */
export function createTokenKey(kid: string): TokenKey {
  return { kid, ...generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) }
}

/** A JWT-SVID for five minutes; `claims` change it. */
export function signToken({ kid, privateKey }: TokenKey, sub: string, claims: JWTPayload = {}): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub, aud: [AUDIENCE], iat: nowSeconds, exp: nowSeconds + 300, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
    .sign(privateKey)
}

/** An SVID of the gateway's own. */
export function issueGateway(authority: Issued, more: Parameters<typeof issue>[0] = {}): Issued {
  return issue({ issuer: authority, uris: [AUDIENCE], extendedUsage: ['serverAuth', 'clientAuth'], ...more })
}

/** What is in the folder; what is left out is not written. */
export type FolderContents = Readonly<{
  svid?: Issued
  authorities?: readonly Issued[]
  tokenKeys?: readonly TokenKey[]
}>

/** Makes a folder for an SVID. */
export function createSvidFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tappass-svid-'))
}

/** Writes files as spiffe-helper does: one after the other, and the keys of tokens in base64 by trust domain. */
export async function writeSvidFolder(folder: string, { svid, authorities, tokenKeys }: FolderContents): Promise<void> {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  if (svid) write('svid.pem', svid.certificate)
  if (svid) write('svid_key.pem', svid.key)
  if (authorities) write('svid_bundle.pem', authorities.map(({ certificate }) => certificate).join(''))
  if (!tokenKeys) return
  const keys = await Promise.all(
    tokenKeys.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid })),
  )
  const bundle = Buffer.from(JSON.stringify({ keys })).toString('base64')
  write('jwt_bundle.json', JSON.stringify({ [TRUST_DOMAIN]: bundle }))
}

/** What came back, in which version of TLS, and the serial number of the certificate that the gateway has shown. */
export type SvidReply = Readonly<{
  status: number
  body: Record<string, unknown>
  protocol: string | null
  serial: string
}>

/** A client of mTLS: each call over the one connection that it keeps. */
export type SvidClient = Readonly<{
  send: (method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<SvidReply>
  close: () => void
}>

/** Connects with an SVID, or without; `ca` are the authorities that the gateway's own SVID may be of. */
export function createSvidClient(
  url: string,
  ca: readonly Pick<Issued, 'certificate'>[],
  svid?: Pick<Issued, 'certificate' | 'key'>,
): SvidClient {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: ca.map(({ certificate }) => certificate),
    ...(svid === undefined ? {} : { cert: svid.certificate, key: svid.key }),
    // A SPIFFE ID is no host name. Who it is, its test says.
    checkServerIdentity: () => undefined,
  })
  const send: SvidClient['send'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, url), {
        method,
        agent,
        headers: { 'content-type': 'application/json', ...headers },
      })
      sent.on('error', reject)
      sent.on('response', (response) => {
        const chunks: Buffer[] = []
        const socket = response.socket as TLSSocket
        const [protocol, serial] = [socket.getProtocol(), socket.getPeerCertificate().serialNumber]
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, body: text === '' ? {} : JSON.parse(text), protocol, serial })
        })
      })
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return { send, close: () => agent.destroy() }
}
