/**
 * The values of one metric by its labels: counters, gauges and histograms. A call makes two dozen observations, so one is a look into a map and an addition. The number of
 * series is bounded, whatever labels are observed: above it all of a metric's labels are `(other)`.
 */

/** What a metric has beside its name: the form that prom-client writes. `exemplar` is shown in OpenMetrics only. */
export type SeriesValue = Readonly<{
  labels: Readonly<Record<string, string>>
  value: number
  metricName?: string
  exemplar?: Exemplar
}>

/** One observation of a bucket, with the trace that it was of. `timestamp` is in seconds since 1970. */
export type Exemplar = Readonly<{ labelSet: Readonly<Record<string, string>>; value: number; timestamp: number }>

/** Series of one metric at most. */
export const SERIES_MAX = 500

const OTHER = '(other)'
/** No label value has it. */
const BETWEEN = '\u0000'

/** Values by labels. `onDropped` is called for each observation whose labels are beyond the bound. */
class SeriesMap<Value> {
  readonly #values = new Map<string, Value>()
  readonly #names: readonly string[]
  readonly #create: () => Value
  readonly #onDropped: () => void

  constructor(names: readonly string[], create: () => Value, onDropped: () => void) {
    this.#names = names
    this.#create = create
    this.#onDropped = onDropped
  }

  /** The value of these labels, which stand in the order of the names. */
  at(labels: readonly string[]): Value {
    const key = labels.length === 1 ? (labels[0] as string) : labels.join(BETWEEN)
    return this.#values.get(key) ?? this.#add(key)
  }

  clear(): void {
    this.#values.clear()
  }

  *entries(): Generator<readonly [labels: Readonly<Record<string, string>>, value: Value]> {
    for (const [key, value] of this.#values) {
      const parts = key.split(BETWEEN)
      yield [Object.fromEntries(this.#names.map((name, at) => [name, parts[at] ?? ''])), value]
    }
  }

  #add(key: string): Value {
    const isFull = this.#values.size >= SERIES_MAX
    if (isFull) this.#onDropped()
    const place = isFull ? this.#names.map(() => OTHER).join(BETWEEN) : key
    const known = this.#values.get(place)
    if (known !== undefined) return known
    const made = this.#create()
    this.#values.set(place, made)
    return made
  }
}

type Cell = { value: number }

/** A counter or a gauge. */
export class NumberSeries {
  readonly #cells: SeriesMap<Cell>

  constructor(names: readonly string[], onDropped: () => void) {
    this.#cells = new SeriesMap<Cell>(names, () => ({ value: 0 }), onDropped)
  }

  add(labels: readonly string[], value: number): void {
    this.#cells.at(labels).value += value
  }

  set(labels: readonly string[], value: number): void {
    this.#cells.at(labels).value = value
  }

  /** Forgets all series: what was true a moment ago is not any more. */
  clear(): void {
    this.#cells.clear()
  }

  values(): readonly SeriesValue[] {
    return [...this.#cells.entries()].map(([labels, { value }]) => ({ labels, value }))
  }
}

type Distribution = { readonly counts: Float64Array; sum: number; readonly exemplars: (Exemplar | undefined)[] }

/** A histogram: above the last bound there is one more bucket. */
export class HistogramSeries {
  readonly #bounds: readonly number[]
  readonly #cells: SeriesMap<Distribution>

  constructor(names: readonly string[], bounds: readonly number[], onDropped: () => void) {
    this.#bounds = bounds
    const create = (): Distribution => ({ counts: new Float64Array(bounds.length + 1), sum: 0, exemplars: [] })
    this.#cells = new SeriesMap<Distribution>(names, create, onDropped)
  }

  observe(labels: readonly string[], value: number, exemplar?: Exemplar): void {
    const cell = this.#cells.at(labels)
    let bucket = 0
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++
    cell.counts[bucket] = (cell.counts[bucket] as number) + 1
    cell.sum += value
    if (exemplar !== undefined) cell.exemplars[bucket] = exemplar
  }

  /** Each series as `name_bucket`, `name_sum` and `name_count`. */
  values(name: string): readonly SeriesValue[] {
    return [...this.#cells.entries()].flatMap(([labels, { counts, sum, exemplars }]) => {
      let total = 0
      const buckets = Array.from(counts, (count, at): SeriesValue => {
        total += count
        const le = at < this.#bounds.length ? String(this.#bounds[at]) : '+Inf'
        const exemplar = exemplars[at]
        return {
          labels: { ...labels, le },
          value: total,
          metricName: `${name}_bucket`,
          ...(exemplar === undefined ? {} : { exemplar }),
        }
      })
      return [
        ...buckets,
        { labels, value: sum, metricName: `${name}_sum` },
        { labels, value: total, metricName: `${name}_count` },
      ]
    })
  }
}
