/**
 * What a changed Caddyfile or program does on a host, with the real programs on this machine: a second Caddy, the first anew, the second goes.
 * Run by itself it prints what that costs 32 clients; with another Caddyfile, without a rule on who gets new connections.
 * `node test/lab/ingress-switch.ts CHANGES [CADDYFILE]`
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { awaitCertificate, type Caddy, freePorts, setListenerRule, startCaddy } from './caddy-process.ts'
import { startClients } from './ingress-clients.ts'

/** `change` is one change while the ingress serves; `main` is the process that serves between two of them. */
export type Ingress = Readonly<{
  https: number
  main: () => Caddy
  change: () => Promise<void>
  close: () => Promise<void>
}>

/** `isRuled: false` is how it was before there was a rule on who gets new connections; `config` is another Caddyfile. */
export type IngressOptions = Readonly<{ isRuled?: boolean; config?: string }>

/** Starts an ingress before a gateway that is `listener`. */
export async function startIngress(listener: RequestListener, options: IngressOptions = {}): Promise<Ingress> {
  const { isRuled = true, config } = options
  const folder = await mkdtemp(join(tmpdir(), 'tappass-ingress-'))
  const gateway = createServer(listener).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  const [http, https] = await freePorts()
  const env = {
    TAPPASS_HTTP_PORT: `${http}`,
    TAPPASS_HTTPS_PORT: `${https}`,
    TAPPASS_UPSTREAM: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
  }
  const start = async (other?: Caddy): Promise<Caddy> => {
    if (isRuled && other !== undefined) await setListenerRule('oldest', other)
    const caddy = await startCaddy({ folder, env, ...(config === undefined ? {} : { config }) })
    if (isRuled) await setListenerRule('newest', caddy)
    return caddy
  }
  let main = await start()
  await awaitCertificate(https)
  const change = async () => {
    const standby = await start(main)
    await main.stop()
    main = await start(standby)
    await standby.stop()
  }
  const close = async () => {
    await main.kill()
    gateway.closeAllConnections()
    gateway.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { https, main: () => main, change, close }
}

if (import.meta.main) {
  const [changes = '10', config] = process.argv.slice(2)
  const ingress = await startIngress(
    (_, response) => response.end('ok'),
    config === undefined ? {} : { isRuled: false, config },
  )
  const clients = startClients(ingress.https)
  for (let index = 0; index < Number(changes); index += 1) await ingress.change()
  process.stdout.write(`${JSON.stringify({ changes, ...(await clients.stop()) })}\n`)
  await ingress.close()
}
