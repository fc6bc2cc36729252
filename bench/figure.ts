/** How figures are summed up and printed. */

/** The middle one of them. */
export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN

/** Prints a row of a table for docs/. */
export const row = (...cells: readonly string[]): void => console.log(`| ${cells.join(' | ')} |`)
