/** Histograms in Prometheus' text format. A call makes a dozen observations, so an observation is two additions. */

/** A family of histograms, one for each label. */
export type Histogram = Readonly<{
  observe: (label: string, value: number) => void
  /** Returns the lines for `/metrics`. `labelName` is left out for a family whose only label is empty. */
  render: (name: string, help: string, labelName: string) => string
}>

type Series = { readonly counts: Float64Array; sum: number }

/** Creates a family with the upper bounds of its buckets, in ascending order; above the last there is one more. */
export function createHistogram(bounds: readonly number[]): Histogram {
  const byLabel = new Map<string, Series>()
  return {
    observe: (label, value) => {
      let series = byLabel.get(label)
      if (series === undefined) {
        series = { counts: new Float64Array(bounds.length + 1), sum: 0 }
        byLabel.set(label, series)
      }
      let bucket = 0
      while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
      series.counts[bucket] = (series.counts[bucket] as number) + 1
      series.sum += value
    },
    render: (name, help, labelName) => {
      const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
      for (const [label, { counts, sum }] of byLabel) {
        const pair = label === '' ? '' : `${labelName}="${label}"`
        let total = 0
        counts.forEach((count, bucket) => {
          total += count
          lines.push(`${name}_bucket{${pair && `${pair},`}le="${bounds[bucket] ?? '+Inf'}"} ${total}`)
        })
        const labels = pair && `{${pair}}`
        lines.push(`${name}_sum${labels} ${sum}`, `${name}_count${labels} ${total}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}
