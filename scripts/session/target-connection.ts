/** The connection to a target: made by the connectors of the commands, and ended in time at an interrupt. */
import { type Invocation, isInteractive } from '../command-line/invocation.ts'
import { askHidden } from '../command-line/prompt.ts'
import type { HostAddress } from '../connection/host-address.ts'
import { readSshAccess, type SshAccess } from '../connection/ssh-access.ts'
import { interruptedFailure } from '../core/failure.ts'
import type { Connection, Runner } from '../core/host.ts'
import type { Target } from '../inventory/target.ts'

type AskPassword = (() => Promise<string>) | undefined

/** How to connect to hosts; `nonce` returns 32 random hex digits. `runners/connectors.ts` has those of the commands. */
export type Connectors = Readonly<{
  local: (askPassword: AskPassword) => Promise<Connection>
  ssh: (
    address: HostAddress,
    access: SshAccess,
    askPassword: AskPassword,
    interrupt: AbortSignal,
  ) => Promise<Connection>
  nonce: () => string
}>

/** Runs `stop` at the first interrupt, also one that came already. Returns what forgets it. */
function onInterrupt({ interrupt }: Invocation, stop: () => void): () => void {
  if (interrupt.aborted) stop()
  interrupt.addEventListener('abort', stop, { once: true })
  return () => interrupt.removeEventListener('abort', stop)
}

/** Passwords that were asked for in this run, by host: a further connection to it asks for none. */
const passwords = new WeakMap<Target, Promise<string>>()

function askOnce(invocation: Invocation, target: Target): AskPassword {
  if (!isInteractive(invocation)) return undefined
  const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
  return () => {
    const asked = passwords.get(target) ?? askHidden(terminal, `sudo password on ${target.name}: `)
    passwords.set(target, asked)
    return asked
  }
}

/**
 * Connects to a host. On a terminal, a password that sudo needs there is asked for, once in a run. The first interrupt ends the attempt, and later the
 * questions that are put to the host then: both throw a `Failure` (exit 130).
 */
export async function connectTarget(
  invocation: Invocation,
  connectors: Connectors,
  target: Target,
): Promise<Connection> {
  const { interrupt } = invocation
  const { address, ssh } = target
  const askPassword = askOnce(invocation, target)
  const interrupted = Promise.withResolvers<never>()
  const connecting =
    address === undefined
      ? connectors.local(askPassword)
      : connectors.ssh(address, readSshAccess(invocation, ssh), askPassword, interrupt)
  const forget = onInterrupt(invocation, () => {
    interrupted.reject(interruptedFailure('while connecting'))
    connecting.then((late) => late.close()).catch(() => undefined)
  })
  const connection = await Promise.race([connecting, interrupted.promise]).finally(forget)
  const ignore = onInterrupt(invocation, () => connection.endReads(interruptedFailure('while the host was asked')))
  const close = async () => {
    ignore()
    await connection.close()
  }
  return { ...askedInTime(connection, interrupt), close }
}

/** After an interrupt nothing more is asked, but of a host that was changed already: its step is seen to its end. */
function askedInTime(connection: Connection, interrupt: AbortSignal): Connection {
  let isChanged = false
  const guard =
    (run: Runner): Runner =>
    async (command, onLine) => {
      isChanged ||= command.effect === 'change'
      if (interrupt.aborted && !isChanged) throw interruptedFailure('before the host was asked')
      return await run(command, onLine)
    }
  return { ...connection, run: guard(connection.run), runAsUser: guard(connection.runAsUser) }
}
