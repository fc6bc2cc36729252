/** What a command line says about bringing a release into force. Pure. */
import { parseDuration } from '../command-line/duration.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { usageFailure } from '../core/failure.ts'
import type { ReleaseChange } from '../spec/host-spec.ts'

/** Returns what is asked for; `soakSeconds` is the setting of the host. Throws a usage failure for what is not understood. */
export function readReleaseChange(invocation: Invocation, soakSeconds: number): ReleaseChange {
  const text = textOption(invocation, 'soak')
  const seconds = text === undefined ? soakSeconds : parseDuration(text)
  if (seconds === undefined)
    throw usageFailure(
      `"--soak" is a number and s, m, h or d, not "${text}"`,
      `tappass ${invocation.verb.name} --soak 60s`,
    )
  return { soakSeconds: seconds, isFinishing: isGiven(invocation, 'finish') }
}
