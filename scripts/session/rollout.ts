/** How a run goes over many hosts: `--batch 1,25%` one batch after the other, `--max-fail` how many may fail, `--soak` how long a batch is watched. */
import { commandHint } from '../command-line/command-hint.ts'
import { parseDuration } from '../command-line/duration.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { usageFailure } from '../core/failure.ts'

/** So many hosts: a number, or a share of all in percent. */
export type Share = Readonly<{ hosts: number }> | Readonly<{ percent: number }>

/** `sizes` of the batches in order, none: all are one; `failuresMax`: with more failed hosts no batch is begun; `soakMs`: for so long a batch is watched before the next. */
export type Rollout = Readonly<{ sizes: readonly Share[]; failuresMax: Share; soakMs: number }>

function parseShare(text: string): Share | undefined {
  const [, digits, sign] = /^(\d{1,6})(%?)$/.exec(text) ?? []
  if (digits === undefined) return undefined
  return sign === '' ? { hosts: Number(digits) } : { percent: Number(digits) }
}

function isSome(share: Share | undefined): share is Share {
  return share !== undefined && Object.values(share)[0] !== 0
}

/** `example` is a value that is understood. */
function wrongOption(invocation: Invocation, name: string, what: string, example: string) {
  const others = Object.entries(invocation.options).filter(([option]) => option !== name)
  const hint = commandHint({ options: Object.fromEntries(others) }, invocation.verb.name, `--${name}`, example)
  return usageFailure(what, hint)
}

function readSizes(invocation: Invocation): readonly Share[] {
  const text = textOption(invocation, 'batch')
  if (text === undefined) return []
  const sizes = text.split(',').map(parseShare)
  if (sizes.every(isSome)) return sizes
  throw wrongOption(invocation, 'batch', `"--batch" must be numbers of hosts or shares of them, not "${text}"`, '1,25%')
}

function readFailuresMax(invocation: Invocation): Share {
  const text = textOption(invocation, 'max-fail')
  if (text === undefined) return { hosts: 0 }
  const share = parseShare(text)
  if (share !== undefined && !('percent' in share && share.percent > 100)) return share
  throw wrongOption(
    invocation,
    'max-fail',
    `"--max-fail" must be a number of hosts or a share of them, not "${text}"`,
    '10%',
  )
}

function readSoakMs(invocation: Invocation): number {
  const text = textOption(invocation, 'soak')
  if (text === undefined) return 0
  const seconds = parseDuration(text)
  if (seconds !== undefined) return seconds * 1000
  throw wrongOption(invocation, 'soak', `"--soak" is a number and s, m, h or d, not "${text}"`, '10m')
}

/** Reads the three options. Throws a usage failure for what is not understood, and for a limit or a time between batches where there are none. */
export function readRollout(invocation: Invocation): Rollout {
  const rollout = {
    sizes: readSizes(invocation),
    failuresMax: readFailuresMax(invocation),
    soakMs: readSoakMs(invocation),
  }
  const lonely = ['max-fail', 'soak'].find((name) => isGiven(invocation, name))
  if (lonely === undefined || rollout.sizes.length > 0) return rollout
  throw wrongOption(invocation, 'batch', `"--${lonely}" is about batches of hosts: add "--batch"`, '1,25%')
}

/** Returns the batches. The last size counts for all further ones; a share is rounded up. Without a size all are one batch. */
export function batchesOf<T>(all: readonly T[], sizes: readonly Share[]): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = []
  for (let start = 0; start < all.length; ) {
    const size = sizes[batches.length] ?? sizes.at(-1) ?? { hosts: all.length }
    const count = 'hosts' in size ? size.hosts : Math.ceil((all.length * size.percent) / 100)
    batches.push(all.slice(start, start + count))
    start += count
  }
  return batches
}

/** Whether more hosts have failed than may; a share of all is rounded down. */
export function isTooMany(failures: number, failuresMax: Share, all: number): boolean {
  return failures > ('hosts' in failuresMax ? failuresMax.hosts : Math.floor((all * failuresMax.percent) / 100))
}
