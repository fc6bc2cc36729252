/** How a host downloads a file by itself. */
import { changeCommand, within } from '../core/command.ts'
import type { Command } from '../core/host.ts'

/** curl's own limits, three retries included, end before. */
const FETCH_MINUTES = 125

/** Downloads into a file. Secured addresses lead to secured ones only. `proxy` is an HTTP proxy on the way there. */
export function downloadCommand(url: string, into: string, proxy: string | undefined): Command {
  const scheme = url.startsWith('https:') ? '=https' : '=http,https'
  const limits = ['--retry', '3', '--connect-timeout', '20', '--max-time', '1800'] as const
  const way = proxy === undefined ? [] : ['--proxy', proxy]
  return within(
    FETCH_MINUTES,
    changeCommand('curl', '-fsSL', '--proto', scheme, ...limits, ...way, '-o', into, '--', url),
  )
}
