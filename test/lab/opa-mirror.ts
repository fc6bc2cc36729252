/** OPA's releases as their vendor has them, served by this host over HTTP: the program, and beside it the file with its digest. */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readPins } from './pin.ts'
import { ensureOpaRelease } from './program.ts'

/** `url` is what `downloads.opa` and OPA_DOWNLOAD take. */
export type OpaMirror = Readonly<{ url: string; close: () => Promise<void> }>

/** Starts it at an address of this host. */
export async function startOpaMirror(host: string): Promise<OpaMirror> {
  const [{ opa }, { program, digest }] = await Promise.all([readPins(), ensureOpaRelease()])
  const file = `/v${opa.version}/opa_linux_amd64_static`
  const paths = new Map([
    [file, program],
    [`${file}.sha256`, digest],
  ])
  const server = createServer((request, response) => {
    const path = paths.get(request.url ?? '')
    if (path === undefined) response.writeHead(404).end()
    else createReadStream(path).pipe(response)
  }).listen(0, host)
  await once(server, 'listening')
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
