/** Secrets made on the host that nobody has seen yet: a marker file each, so that a killed run shows them the next time. */
import { change } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import { credentialPaths } from './credential.ts'

/** Holds one empty file for each, named by the credential's id. */
export const UNSHOWN_FOLDER = '/var/lib/tappass/unshown'

/** The ids of those not shown yet. */
export const unshownFact: Fact<readonly string[]> = {
  ask: {
    argv: ['find', UNSHOWN_FOLDER, '-mindepth', '1', '-maxdepth', '1', '-type', 'f', '-printf', '%f\\n'],
    effect: 'read',
  },
  parse: ({ stdout }) => stdout.split('\n').filter((id) => id !== ''),
}

/** Prints the value on standard output: for the operator's eyes, never for a log. */
export function revealCommand(id: string): Command {
  return {
    argv: [
      'sh',
      '-c',
      'if [ -f "$2" ]; then systemd-creds decrypt --name="$1" "$2" -; else cat -- "$3"; fi',
      'sh',
      id,
      ...credentialPaths(id),
    ],
    effect: 'read',
  }
}

/** To be run after the value was written to the operator, and not before. */
export function shownCommand(id: string): Command {
  return change('rm', '-f', '--', `${UNSHOWN_FOLDER}/${id}`)
}
