/** `--batch 1,25%`: the hosts of a run one batch after the other, so that what goes wrong goes wrong on few. */
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, textOption } from '../command-line/invocation.ts'
import { usageFailure } from '../core/failure.ts'

/** How many hosts a batch has: a number, or a share of all in percent. */
export type BatchSize = Readonly<{ hosts: number }> | Readonly<{ percent: number }>

function parseSize(text: string): BatchSize | undefined {
  const [, digits, sign] = /^([1-9]\d{0,5})(%?)$/.exec(text) ?? []
  if (digits === undefined) return undefined
  return sign === '' ? { hosts: Number(digits) } : { percent: Number(digits) }
}

/** Returns the sizes of the batches, in order; none without the option. Throws a usage failure for anything else. */
export function readBatchSizes(invocation: Invocation): readonly BatchSize[] {
  const text = textOption(invocation, 'batch')
  if (text === undefined) return []
  const sizes = text.split(',').map(parseSize)
  if (sizes.every((size) => size !== undefined)) return sizes
  const { batch: _, ...options } = invocation.options
  throw usageFailure(
    `"--batch" must be numbers of hosts or shares of them, not "${text}"`,
    commandHint({ options }, invocation.verb.name, '--batch', '1,25%'),
  )
}

/** Returns the batches. The last size counts for all further ones; a share is rounded up. Without a size all are one batch. */
export function batchesOf<T>(all: readonly T[], sizes: readonly BatchSize[]): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = []
  for (let start = 0; start < all.length; ) {
    const size = sizes[batches.length] ?? sizes.at(-1) ?? { hosts: all.length }
    const count = 'hosts' in size ? size.hosts : Math.ceil((all.length * size.percent) / 100)
    batches.push(all.slice(start, start + count))
    start += count
  }
  return batches
}
