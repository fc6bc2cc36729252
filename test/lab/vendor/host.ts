/**
 * The lab host as the vendors: a process of its own, on the addresses of one machine's network only. HTTPS under the vendors' names, with
 * Docker Hub's tokens; Debian's mirrors over HTTP; and, for a machine behind one, an HTTP proxy. Each request is a line of the record.
 * Run by the machine's supervisor: `node test/lab/vendor/host.ts FILE`.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, type Server, type Socket } from 'node:net'
import type { Authority } from './authority.ts'
import { mirrorNames, vendorNames } from './name.ts'
import type { Site } from './site.ts'

/** Where it listens, with what, and where it writes down requests. The machine has `proxyPort` when it is behind a proxy. */
export type HostSettings = Readonly<{
  addresses: readonly string[]
  authority: Authority
  site: Site
  record: string
  proxyPort?: number
}>

/** A line of the record. `by` is how it came. */
export type Asked = Readonly<{ by: 'https' | 'http' | 'connect'; address: string; status: number }>

type Answering = Readonly<{ settings: HostSettings; write: (line: Asked) => void }>

const realm = 'https://auth.docker.io/token'

/** A token names what may be pulled with it. */
const tokenFor = (scope: string): string => Buffer.from(`lab ${scope}`).toString('base64url')

function sendToken(response: ServerResponse, scope: string): number {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ token: tokenFor(scope), expires_in: 300, issued_at: new Date().toISOString() }))
  return 200
}

/** Docker Hub's way: without a token the answer says where to get one. */
function isRefused(address: string, authorization: string | undefined, response: ServerResponse): boolean {
  const [, repository] = /^registry-1\.docker\.io\/v2\/(.*)\/(?:manifests|blobs)\//.exec(address) ?? []
  const scope = repository === undefined ? undefined : `repository:${repository}:pull`
  if (authorization === `Bearer ${tokenFor(scope ?? '')}`) return false
  const wanted = scope === undefined ? '' : `,scope="${scope}"`
  response.writeHead(401, {
    'www-authenticate': `Bearer realm="${realm}",service="registry.docker.io"${wanted}`,
    'docker-distribution-api-version': 'registry/2.0',
  })
  response.end()
  return true
}

function answer({ settings: { site } }: Answering, ask: IncomingMessage, response: ServerResponse): number {
  const { pathname, searchParams } = new URL(ask.url ?? '/', 'https://vendor')
  const address = `${ask.headers.host}${decodeURIComponent(pathname)}`
  if (address === 'auth.docker.io/token') return sendToken(response, searchParams.get('scope') ?? '')
  if (address.startsWith('registry-1.docker.io/') && isRefused(address, ask.headers.authorization, response)) return 401
  const location = site.redirects[address]
  if (location !== undefined) {
    response.writeHead(307, { location }).end()
    return 307
  }
  const page = site.pages[address]
  if (page === undefined) {
    response.writeHead(404).end('not here\n')
    return 404
  }
  const digest = page.digest === undefined ? {} : { 'docker-content-digest': page.digest }
  const bytes = readFileSync(page.path)
  response.writeHead(200, { 'content-type': page.type, 'content-length': bytes.length, ...digest })
  response.end(ask.method === 'HEAD' ? undefined : bytes)
  return 200
}

function vendors(answering: Answering): Server {
  const { certificate, key } = answering.settings.authority
  const files = { cert: readFileSync(certificate), key: readFileSync(key) }
  return createHttpsServer(files, (ask, response) => {
    const status = answer(answering, ask, response)
    answering.write({ by: 'https', address: `${ask.headers.host}${ask.url}`, status })
  })
}

/** Sends a request on and its answer back, byte for byte. */
function forward({ write }: Answering, ask: IncomingMessage, response: ServerResponse, target: URL): void {
  const { 'proxy-connection': _, ...headers } = ask.headers
  const onward = request(target, { method: ask.method ?? 'GET', headers }, (back) => {
    write({ by: 'http', address: `${target.host}${target.pathname}`, status: back.statusCode ?? 0 })
    response.writeHead(back.statusCode ?? 502, back.headers)
    back.pipe(response)
  })
  onward.on('error', () => {
    write({ by: 'http', address: `${target.host}${target.pathname}`, status: 502 })
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  })
  ask.pipe(onward)
}

function mirrors(answering: Answering): Server {
  return createHttpServer((ask, response) => {
    const name = ask.headers.host ?? ''
    if (mirrorNames.some((each) => each === name))
      forward(answering, ask, response, new URL(`http://${name}${ask.url}`))
    else response.writeHead(404).end()
  })
}

/** The proxy leads to this host under the vendors' names, and elsewhere to where the name leads. */
function proxy(answering: Answering): Server {
  const { settings, write } = answering
  const server = createHttpServer((ask, response) => {
    if (URL.canParse(ask.url ?? '')) forward(answering, ask, response, new URL(ask.url ?? ''))
    else response.writeHead(400).end()
  })
  server.on('connect', (ask: IncomingMessage, socket: Socket, head: Buffer) => {
    const { hostname, port } = new URL(`http://${ask.url}`)
    const isVendor = vendorNames.some((name) => name === hostname)
    const onward = connect(Number(port || 80), isVendor ? settings.addresses[0] : hostname.replace(/^\[|\]$/g, ''))
    const refuse = (): void => {
      write({ by: 'connect', address: `${ask.url}`, status: 502 })
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    }
    onward.once('error', refuse)
    onward.once('connect', () => {
      write({ by: 'connect', address: `${ask.url}`, status: 200 })
      onward.off('error', refuse).on('error', () => socket.destroy())
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    socket.on('error', () => onward.destroy())
  })
  return server
}

function listen(settings: HostSettings): void {
  const write = (line: Asked): void => appendFileSync(settings.record, `${JSON.stringify(line)}\n`)
  const answering = { settings, write }
  for (const address of settings.addresses) {
    vendors(answering).listen(443, address)
    mirrors(answering).listen(80, address)
    if (settings.proxyPort !== undefined) proxy(answering).listen(settings.proxyPort, address)
  }
}

if (import.meta.main) listen(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as HostSettings)
