/**
 * How long tests by chance and tests of being killed go on. `TAPPASS_TEST_ROUNDS` is the share of their rounds in percent:
 * 10 unless it is set, more in `.ci/run`, 100 for all. A share's rounds are the same in every run.
 */
import { readPins } from './lab/pin.ts'

/** Whether this is the Node that the gateway runs on. An older one runs the same code: a part shows what differs. */
const isPinned = (await readPins()).node[0]?.version === process.versions.node

/** Gives all rows, and on an older Node every `nth` of them, for rows whose work is the same wherever they run. */
export function rowsHere<Row>(rows: readonly Row[], nth = 5): readonly Row[] {
  return isPinned ? rows : rows.filter((_, index) => index % nth === 0)
}

/** Gives how many of `rounds` such rows are to be run here: on an older Node a tenth. */
export function roundsHere(rounds: number): number {
  return isPinned ? rounds : Math.ceil(rounds / 10)
}

/** Gives how many of `rounds` are to be run: one at least. Throws where the share is not a number from 1 to 100. */
export function shareOf(rounds: number, percent: string = process.env['TAPPASS_TEST_ROUNDS'] || '10'): number {
  const share = Number(percent)
  if (!(share >= 1 && share <= 100)) throw new Error(`TAPPASS_TEST_ROUNDS=${percent} is not a number from 1 to 100`)
  return Math.ceil((rounds * share) / 100)
}
