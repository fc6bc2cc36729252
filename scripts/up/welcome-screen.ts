/** The welcome screen of `tappass up`: commands to copy for a first governed call, and for one that is refused. */
import type { AgentKey } from './data-folder.ts'

/** The gateway that serves; `dataFolder` is undefined with memory storage. */
export type ServingGateway = Readonly<{
  url: string
  adminKey: string
  agent: AgentKey
  dataFolder: string | undefined
}>

/** Returns a bogus private key in PEM form from random bytes, so that no file of this project contains one. */
export function createBogusPrivateKey(bytes: (count: number) => Buffer): string {
  const lines =
    bytes(144)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  const fence = (word: string) => [word, 'RSA', 'PRIVATE', 'KEY'].join(' ')
  return [`-----${fence('BEGIN')}-----`, ...lines, `-----${fence('END')}-----`].join('\n')
}

/** Returns a curl command that sends a user message to the echo model; safe to paste into any POSIX shell. */
export function renderCurl(url: string, key: string, text: string): string {
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: text }] })
  return [
    `curl -sS ${url}/v1/chat/completions`,
    `-H 'Authorization: Bearer ${key}'`,
    `-H 'Content-Type: application/json'`,
    `-d '${body.replaceAll("'", `'\\''`)}'`,
  ].join(' ')
}

/** Returns the whole screen, with a line end. */
export function renderWelcomeScreen(serving: ServingGateway, bogusPrivateKey: string, hasColor: boolean): string {
  const bold = (text: string) => (hasColor ? `\u001b[1m${text}\u001b[22m` : text)
  const { url, adminKey, agent, dataFolder } = serving
  return `
${bold('TapPass is running')} at ${url}
  admin key  ${adminKey}
  agent key  ${agent.key}  (agent ${agent.id})
  ${dataFolder === undefined ? 'in memory: all data are lost when it stops' : `data in    ${dataFolder}`}

${bold('A governed call')} (or point any OpenAI client at ${url}/v1 with the agent key):
${renderCurl(url, agent.key, 'Hello')}

${bold('A refused call')}, because it would leak a private key:
${renderCurl(url, agent.key, `Deploy with this key:\n${bogusPrivateKey}`)}

Press Ctrl-C to stop.
`
}
