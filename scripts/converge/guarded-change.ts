/**
 * Applies a change that could cut the operator off: the host keeps what it touches, and puts that back unless the change is confirmed in time over
 * a new connection. The one that the run has may go on when no other could be made.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import {
  armCommand,
  confirmCommand,
  GUARD_EXPIRED_CODE,
  GUARD_SECONDS,
  type Guard,
  restoreCommand,
  SERVING_GUARD_SECONDS,
} from '../core/guard.ts'
import type { Command, Connection, Output, Runner } from '../core/host.ts'
import type { Change } from '../core/resource.ts'
import { type ApplyListener, type ApplyResult, applyChange } from './apply.ts'

/** What it needs of a run. */
export type GuardedContext = Readonly<{
  run: Runner
  reconnect: () => Promise<Connection>
  nonce: () => string
  /** Given to a run that is a unit of the host, and has no connection: waits until somebody else has confirmed the change. */
  awaitConfirmation?: () => Promise<Output>
}>

/** A failed result says that what was there before is in force again. */
export type GuardedResult = ApplyResult & Readonly<{ isPutBack?: true }>

/** Over a connection that may be dead, an answer is not waited for longer. */
const ANSWER_MS = 15_000
/** The timer of the host, and what it starts. */
const WAIT_MS = (GUARD_SECONDS + 5) * 1000

async function overNewConnection(reconnect: GuardedContext['reconnect'], command: Command): Promise<Output> {
  const connection = await reconnect()
  try {
    return await connection.run({ ...command, deadlineMs: ANSWER_MS })
  } finally {
    await connection.close()
  }
}

/** Returns what a `Failure` says, as the output of the confirmation. */
export function unreached(event: string, { text: { what, why } }: Failure): Output {
  const stderr = `${event}: ${what}${why === undefined ? '' : `: ${why}`}`
  return { code: EXIT_CODE.unreachable, stdout: '', stderr }
}

/** Confirms over a new connection, or waits until somebody else has. */
export async function confirm({
  reconnect,
  awaitConfirmation,
}: Omit<GuardedContext, 'run' | 'nonce'>): Promise<Output> {
  if (awaitConfirmation !== undefined) return await awaitConfirmation()
  try {
    return await overNewConnection(reconnect, confirmCommand())
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return unreached('no new connection', error)
  }
}

async function isRestored(restore: () => Promise<Output>): Promise<boolean> {
  try {
    return (await restore()).code === 0
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return false
  }
}

/** Over the connection that there is, else by the host's own timer. Throws a `Failure` (exit 6) when nobody can say. */
export async function putBack(
  { run, reconnect }: Pick<GuardedContext, 'run' | 'reconnect'>,
  {
    waitMs = WAIT_MS,
    deadlineMs = ANSWER_MS,
  }: Readonly<{ waitMs?: number | undefined; deadlineMs?: number | undefined }>,
): Promise<void> {
  const restore = restoreCommand()
  if (await isRestored(() => run({ ...restore, deadlineMs }))) return
  await sleep(waitMs)
  if (await isRestored(() => overNewConnection(reconnect, restore))) return
  throw new Failure(
    {
      what: 'the host is not reached since a change that could cut it off',
      why: `it puts back what was there before by itself, ${SERVING_GUARD_SECONDS} s after the change at the latest and after a reboot; that could not be seen`,
      next: 'look at it by its console: journalctl -t tappass-guard   (on the host)',
    },
    EXIT_CODE.unreachable,
  )
}

/** Returns the result of a change that was not confirmed, and is put back. */
export function unconfirmed(output: Output, seconds: number = GUARD_SECONDS): GuardedResult & { status: 'failed' } {
  const stderr =
    output.code === GUARD_EXPIRED_CODE
      ? `not confirmed within ${seconds} s, so the host put back what was there before`
      : `${output.stderr.trim()}\nwhat was there before was put back`
  return { status: 'failed', command: confirmCommand(), output: { ...output, stderr }, isPutBack: true }
}

/** Applies the change and confirms it. A failure leaves what was there before. `waitMs` is how long the host's own timer is waited for. */
export async function applyGuarded(
  context: GuardedContext,
  { commands, guard }: Readonly<{ commands: Change['commands']; guard: Guard }>,
  listener: ApplyListener,
  waitMs: number = WAIT_MS,
): Promise<GuardedResult> {
  const armed = await applyChange(context.run, [armCommand(guard)], context.nonce, listener)
  if (armed.status === 'failed') return armed
  const result = await applyChange(context.run, commands, context.nonce, listener).catch((error: unknown) => {
    if (error instanceof Failure) return error
    throw error
  })
  if (result instanceof Failure) {
    await putBack(context, { waitMs })
    if (result.code !== EXIT_CODE.unreachable) throw result
    return unconfirmed(unreached('the connection was lost', result))
  }
  const confirmed = result.status === 'done' ? await confirm(context) : undefined
  if (confirmed?.code === 0) return result
  await putBack(context, { waitMs })
  return confirmed === undefined ? { ...result, isPutBack: true } : unconfirmed(confirmed)
}
