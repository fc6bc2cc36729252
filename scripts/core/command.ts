/** Builders of commands that change a host. */
import type { Command, Stdin } from './host.ts'

/** A program with its arguments. Never pass a secret as an argument. */
export function changeCommand(...argv: readonly [string, ...string[]]): Command {
  return { argv, effect: 'change' }
}

/** A POSIX script with arguments `$1`, `$2` …; it stops at the first failure. `stdin` may hold a secret. */
export function scriptCommand(script: string, args: readonly string[], stdin?: Stdin): Command {
  return {
    argv: ['sh', '-euc', script, 'sh', ...args],
    effect: 'change',
    ...(stdin === undefined ? {} : { stdin }),
  }
}

/** Where a file or folder is created before it is renamed into place: hidden, in the same folder, with the same name on every run, so that a killed run leaves no litter. */
export function temporaryPath(path: string): string {
  const nameStart = path.lastIndexOf('/') + 1
  return `${path.slice(0, nameStart)}.${path.slice(nameStart)}.tappass-new`
}
