/** Asks whether changes may be made: `--yes` says so beforehand, and without a terminal nobody can be asked. */
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { typedLine } from './command-hint.ts'
import { type Invocation, isGiven, mayAsk } from './invocation.ts'
import { askLine, Interrupted } from './prompt.ts'

/** Whether so many changes may be made to a host. */
export type Consent = (host: string, changes: number) => Promise<boolean>

function interrupted(error: unknown): never {
  if (error instanceof Interrupted)
    throw new Failure({ what: 'interrupted at the question' }, EXIT_CODE.interrupted, error)
  throw error
}

/** One question at a time, though hosts run side by side. It throws a usage failure that names `--yes` where nobody can be asked. */
export function consentOf(invocation: Invocation): Consent {
  const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
  let asking: Promise<unknown> = Promise.resolve()
  return async (host, changes) => {
    if (isGiven(invocation, 'yes')) return true
    if (!mayAsk(invocation)) {
      const what = `${host} needs changes (${changes}), and nobody can be asked`
      throw usageFailure(what, typedLine(invocation, invocation.verb.name, '--yes'))
    }
    const question = `Make ${changes === 1 ? 'this change' : `these ${changes} changes`} to ${host}? [y/N] `
    const answer = asking.then(() => askLine(terminal, question))
    asking = answer.catch(() => undefined)
    return /^y(es)?$/i.test(await answer.catch(interrupted))
  }
}
