/** The parts of the SSH library that a client needs. Its own entry loads a server and agents for HTTP as well, and with them Node's HTTP and TLS. */
import { createRequire } from 'node:module'
import type ssh2 from 'ssh2'

const load = createRequire(import.meta.url)

/** A connection to an SSH server. */
export const Client: typeof ssh2.Client = load('ssh2/lib/client.js')

/** Has the client ask for keys of these kinds, too. It can't verify them: whoever does takes what is shown, and goes away. */
export function askFor(algorithms: readonly string[]): void {
  const { SUPPORTED_SERVER_HOST_KEY: known } = load('ssh2/lib/protocol/constants.js') as {
    SUPPORTED_SERVER_HOST_KEY: string[]
  }
  known.push(...algorithms.filter((each) => !known.includes(each)))
}

/** Parses the text of a key; returns an error for what is none, or is locked. */
export const parseKey: typeof ssh2.utils.parseKey = load('ssh2/lib/protocol/keyParser.js').parseKey
