/** A connection through a command (ssh's ProxyCommand): its standard input and output are the way to the host. */
import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import { usageFailure } from '../core/failure.ts'
import type { HostAddress } from './host-address.ts'
import type { SshRoute } from './ssh-access.ts'

type ProxyCommand = Extract<SshRoute, { kind: 'command' }>

/** Returns the command with what its tokens stand for, as in ssh_config(5). Throws a usage failure for a token that is not known here. */
export function expandProxyCommand({ command, typedName }: ProxyCommand, { user, name, port }: HostAddress): string {
  const tokens: Readonly<Record<string, string>> = { '%': '%', h: name, n: typedName, p: String(port), r: user }
  return command.replaceAll(/%(.?)/g, (text, token: string) => {
    const value = tokens[token]
    if (value !== undefined) return value
    throw usageFailure(
      `the ProxyCommand of ${typedName} has the token ${text}; known are ${Object.keys(tokens)
        .map((each) => `%${each}`)
        .join(', ')}`,
      `write it with another one in ~/.ssh/config: ${command}`,
    )
  })
}

/** Starts it. What it writes on standard error is shown, as ssh does; it ends with the stream. */
export function openProxyCommand(route: ProxyCommand, address: HostAddress): Duplex {
  // In a session of its own: Ctrl-C reaches the toolkit only, which lets a step finish over this connection.
  const child = spawn('/bin/sh', ['-c', `exec ${expandProxyCommand(route, address)}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin } as unknown as NodeJS.ReadWriteStream)
  child.once('error', (error) => stream.destroy(error))
  // A write to a command that has ended is told by the end of the stream.
  child.stdin.on('error', () => undefined)
  stream.once('close', () => {
    try {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
    } catch {
      // It has ended already.
    }
  })
  return stream
}
