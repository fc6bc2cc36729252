/** Asks for confirmation of changes on the terminal, unless `--yes` was given. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { commandHint, typedVerb } from './command-hint.ts'
import { type Invocation, isGiven, isInteractive } from './invocation.ts'
import { askLine, Interrupted } from './prompt.ts'

/** Returns whether that many changes may be made to a host. */
export type Confirm = (host: string, changes: number) => Promise<boolean>

function interrupted(error: unknown): never {
  if (error instanceof Interrupted)
    throw new Failure({ what: 'interrupted at the confirmation' }, EXIT_CODE.interrupted, error)
  throw error
}

/** Asks one question at a time, even when hosts run in parallel. Without a terminal it throws a usage failure that names `--yes`. */
export function createConfirm(invocation: Invocation): Confirm {
  const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
  let previous: Promise<unknown> = Promise.resolve()
  return async (host, changes) => {
    if (isGiven(invocation, 'yes')) return true
    if (!isInteractive(invocation)) {
      const count = changes === 1 ? '1 change' : `${changes} changes`
      const what = `${count} to ${host} not confirmed: no terminal to confirm on; pass --yes`
      throw usageFailure(what, commandHint(invocation, typedVerb(invocation), '--yes'))
    }
    const question = `Make ${changes === 1 ? 'this change' : `these ${changes} changes`} to ${host}? [y/N] `
    const answer = previous.then(() => askLine(terminal, question))
    previous = answer.catch(() => undefined)
    return /^y(es)?$/i.test(await answer.catch(interrupted))
  }
}

/** Returns whether the name was typed of the host that is to be changed so. */
export type ConfirmName = (host: string, name: string, what: string) => Promise<boolean>

/** As `createConfirm`, for what can't be taken back: a letter is typed too easily, and the name of another host is not accepted. */
export function createNameConfirm(invocation: Invocation): ConfirmName {
  const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
  let previous: Promise<unknown> = Promise.resolve()
  return async (host, name, what) => {
    if (isGiven(invocation, 'yes')) return true
    if (!isInteractive(invocation)) {
      throw usageFailure(
        `${invocation.action ?? invocation.verb.name} of ${host} not confirmed: no terminal to confirm on; pass --yes`,
        commandHint(invocation, typedVerb(invocation), '--yes'),
      )
    }
    const answer = previous.then(() => askLine(terminal, `${host}: ${what}. Type "${name}" to go on: `))
    previous = answer.catch(() => undefined)
    return (await answer.catch(interrupted)) === name
  }
}
