/**
 * How long tests by chance and tests of being killed go on. `TAPPASS_TEST_ROUNDS` is the share of their rounds in percent:
 * 10 unless it is set, more in `.ci/run`, 100 for all. A share's rounds are the same in every run.
 */

/** Gives how many of `rounds` are to be run: one at least. Throws where the share is not a number from 1 to 100. */
export function shareOf(rounds: number, percent: string = process.env['TAPPASS_TEST_ROUNDS'] || '10'): number {
  const share = Number(percent)
  if (!(share >= 1 && share <= 100)) throw new Error(`TAPPASS_TEST_ROUNDS=${percent} is not a number from 1 to 100`)
  return Math.ceil((rounds * share) / 100)
}
