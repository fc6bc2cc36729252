/** Short ways to write a command that changes the host. */
import type { Command, Stdin } from './host.ts'

/** One program with its arguments; never a secret among them. */
export function change(...argv: readonly [string, ...string[]]): Command {
  return { argv, effect: 'change' }
}

/** A POSIX script with its arguments as `$1`, `$2` …; it ends at the first failure. `stdin` may hold a secret. */
export function changeByScript(script: string, words: readonly string[], stdin?: Stdin): Command {
  return {
    argv: ['sh', '-euc', script, 'sh', ...words],
    effect: 'change',
    ...(stdin === undefined ? {} : { stdin }),
  }
}

/** Where a file or folder is made before it is renamed into place: hidden, beside it, and the same at every try, so that a killed run leaves no litter. */
export function temporaryPath(path: string): string {
  const at = path.lastIndexOf('/') + 1
  return `${path.slice(0, at)}.${path.slice(at)}.tappass-new`
}
