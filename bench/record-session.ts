/**
 * Records what the pages show: `node bench/record-session.ts` runs a session with a real gateway and writes
 * docs/images/session.svg and the block "session" of README.md. Needs curl and jq. With `--host` also the plan of a bare
 * machine of the lab (root), the block "host".
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runGatewaySession } from './session/gateway-session.ts'
import { runHostSession } from './session/host-session.ts'
import { renderMarkdown, replaceBlock } from './session/shown-command.ts'
import { renderSvg } from './session/terminal-svg.ts'

const root = join(import.meta.dirname, '..')
const readme = join(root, 'README.md')

const TITLE = 'tappass up, a call that passes, one that is redacted, one that is refused, and the entries of the ledger'

const writeBlock = (name: string, text: string): void =>
  writeFileSync(readme, replaceBlock(readFileSync(readme, 'utf8'), name, text))

if (import.meta.main) {
  const session = await runGatewaySession()
  writeFileSync(join(root, 'docs/images/session.svg'), renderSvg(session, TITLE))
  writeBlock('session', renderMarkdown(session))
  if (process.argv.includes('--host')) writeBlock('host', renderMarkdown(await runHostSession()))
}
