/** What an expression of PromQL names: metrics, and the labels that it selects by. A parser it is not; promtool parses. */

/** A metric by the name that the reference has, and the names of the labels in its braces. */
export type Selected = Readonly<{ name: string; labels: readonly string[] }>

const SELECTOR = /\b(up\b|tappass_[a-z0-9_]+)(?:\{([^}]*)\})?/g

/** Returns the metrics that an expression selects; series of a histogram under its name. */
export function metricsIn(expression: string): readonly Selected[] {
  return [...expression.matchAll(SELECTOR)].map(([, series = '', labels = '']) => ({
    name: series.replace(/_(?:bucket|sum|count)$/, ''),
    labels: [...labels.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }))
}

/** Returns what of an expression is not there: a metric, or a label of one. `known` are the metrics with their labels. */
export function unknownIn(
  expression: string,
  known: readonly Readonly<{ name: string; labels: readonly string[] }>[],
): readonly string[] {
  return metricsIn(expression).flatMap(({ name, labels }) => {
    const metric = known.find((each) => each.name === name)
    if (metric === undefined) return [name]
    return labels
      .filter((label) => !['le', 'job', 'instance', ...metric.labels].includes(label))
      .map((label) => `${name}{${label}}`)
  })
}
