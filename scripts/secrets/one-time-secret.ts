/** Secrets that were generated on the host and are shown once: a marker file each, so that a killed run shows them the next time. */
import { HOST_PATH } from '../../contract/path.ts'
import { changeCommand } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import { credentialPaths } from './credential.ts'

/** The folder of the markers: an empty file named after each credential. */
export const ONE_TIME_SECRETS_FOLDER = HOST_PATH.unshownSecretsFolder

/** The ids of the secrets that were not shown yet. */
export const oneTimeSecretsFact: Fact<readonly string[]> = {
  query: {
    argv: ['find', ONE_TIME_SECRETS_FOLDER, '-mindepth', '1', '-maxdepth', '1', '-type', 'f', '-printf', '%f\\n'],
    effect: 'read',
  },
  parse: ({ stdout }) => stdout.split('\n').filter((id) => id !== ''),
}

/** Prints the value on standard output; never log it. */
export function showSecretCommand(id: string): Command {
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

/** Removes the marker; run it only after the value was shown. */
export function markShownCommand(id: string): Command {
  return changeCommand('rm', '-f', '--', `${ONE_TIME_SECRETS_FOLDER}/${id}`)
}
