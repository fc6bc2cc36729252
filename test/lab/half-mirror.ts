/** A mirror of Debian on this host that can be told to break off in the middle of every package. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetch } from 'undici'

/** `url` takes the place of `http:/`; while `isHalf` only the first half of a package comes. */
export type HalfMirror = { readonly url: string; isHalf: boolean; readonly broken: string[]; stop: () => Promise<void> }

/** Starts it on an address of this host. It fetches from Debian itself. */
export async function startHalfMirror(host: string): Promise<HalfMirror> {
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    try {
      const answer = await fetch(`http:/${path}`)
      const body = Buffer.from(await answer.arrayBuffer())
      response.writeHead(answer.status, { 'content-length': body.length })
      if (!mirror.isHalf || !path.endsWith('.deb')) return void response.end(body)
      mirror.broken.push(path)
      response.write(body.subarray(0, body.length / 2), () => response.destroy())
    } catch {
      response.writeHead(502).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const mirror: HalfMirror = {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    isHalf: true,
    broken: [],
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return mirror
}
