/** What cloudflared reads (`/etc/tappass/cloudflared.yml`). It holds no secret. */
import { stringify } from 'yaml'
import { type TunnelSpec, tunnelRoutes } from './tunnel-spec.ts'

const NOTICE = '# What the tunnel does. Laid down by the toolkit; edits are undone at its next run.\n'

/**
 * Returns the text: the routes in order and 404 for everything else, where they are kept here. With a token it has no routes; without a file
 * cloudflared would read whatever stands in /etc/cloudflared.
 */
export function tunnelConfigText(tunnel: TunnelSpec, domain: string | undefined): string {
  const routes = [
    ...tunnelRoutes(tunnel, domain).map(({ hostname, path, service }) => ({
      hostname,
      ...(path === undefined ? {} : { path }),
      service,
    })),
    { service: 'http_status:404' },
  ]
  const local = tunnel.id === undefined ? {} : { tunnel: tunnel.id, ingress: routes }
  return `${NOTICE}${stringify({ 'no-autoupdate': true, ...local })}`
}
