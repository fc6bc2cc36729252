/** Counting what test runners say, so that nothing that crashed, hung or vanished counts as passed. */

/** How many tests passed and failed; `leftOut` names what did not run, and why. */
export type Tally = Readonly<{ passed: number; failed: number; leftOut: readonly string[] }>

const countOf = (tap: string, name: string): number | undefined => {
  const text = tap.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1]
  return text === undefined ? undefined : Number(text)
}

const skipped = (tap: string): readonly string[] =>
  [...tap.matchAll(/^\s*ok \d+ - (.*?) # (SKIP|TODO)\b *(.*)$/gim)].map(
    ([, name, , reason]) => `${name}${reason === undefined || reason === '' ? '' : `: ${reason}`}`,
  )

/** Files that ended well without reporting one test: the runner takes the file itself for a test that passed. */
const hollowFiles = (tap: string): number => [...tap.matchAll(/^ok \d+ - \S+\.test\.ts$/gm)].length

/**
 * Reads the TAP of a `node --test` run and its exit code (null after a signal). A run without a summary, without any
 * test, or that ended badly though no test failed, has at least one failure.
 */
export const tallyTap = (tap: string, exitCode: number | null): Tally => {
  const [passed, failed, cancelled] = [countOf(tap, 'pass'), countOf(tap, 'fail'), countOf(tap, 'cancelled')]
  const hollow = hollowFiles(tap)
  const seen = {
    passed: (passed ?? 0) - hollow,
    failed: (failed ?? 0) + (cancelled ?? 0) + hollow,
    leftOut: skipped(tap),
  }
  const isWhole = passed !== undefined && failed !== undefined && seen.passed + seen.failed + seen.leftOut.length > 0
  const isCrashed = !isWhole || (exitCode !== 0 && seen.failed === 0)
  return isCrashed ? { ...seen, failed: seen.failed + 1 } : seen
}

/** A check that either holds or doesn't. */
export const tallyExit = (exitCode: number | null): Tally =>
  exitCode === 0 ? { passed: 1, failed: 0, leftOut: [] } : { passed: 0, failed: 1, leftOut: [] }

/** The sum of several. */
export const sumTallies = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
  failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
  leftOut: tallies.flatMap(({ leftOut }) => leftOut),
})
