/** The last screen of `tappass up`: what to copy for a first governed call, and for one that is refused. */
import type { AgentKey } from './data-folder.ts'

/** What serves now. */
export type Serving = Readonly<{ url: string; adminKey: string; agent: AgentKey; keptIn: string | undefined }>

/** A private key in PEM form that opens nothing, from random bytes, so that no text of this project looks like one. */
export function makeBogusPrivateKey(bytes: (count: number) => Buffer): string {
  const lines =
    bytes(144)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  const fence = (word: string) => [word, 'RSA', 'PRIVATE', 'KEY'].join(' ')
  return [`-----${fence('BEGIN')}-----`, ...lines, `-----${fence('END')}-----`].join('\n')
}

/** A curl command that sends one user message to the echo model; safe to paste into any POSIX shell. */
export function renderCurl(url: string, key: string, text: string): string {
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: text }] })
  return [
    `curl -sS ${url}/v1/chat/completions`,
    `-H 'Authorization: Bearer ${key}'`,
    `-H 'Content-Type: application/json'`,
    `-d '${body.replaceAll("'", `'\\''`)}'`,
  ].join(' ')
}

/** The whole screen, with a line end. */
export function renderFirstCall(serving: Serving, bogusPrivateKey: string, hasColor: boolean): string {
  const bold = (text: string) => (hasColor ? `\u001b[1m${text}\u001b[22m` : text)
  const { url, adminKey, agent, keptIn } = serving
  return `
${bold('TapPass serves')} at ${url}
  admin key  ${adminKey}
  agent key  ${agent.key}  (agent ${agent.id})
  ${keptIn === undefined ? 'in memory: all of this is gone when it stops' : `kept in  ${keptIn}`}

${bold('A governed call')} (or point any OpenAI client at ${url}/v1 with the agent key):
${renderCurl(url, agent.key, 'Hello')}

${bold('One that is refused')}, since it would hand out a private key:
${renderCurl(url, agent.key, `Deploy with this key:\n${bogusPrivateKey}`)}

Ctrl-C stops it.
`
}
