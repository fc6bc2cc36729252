/** How the SDK tells what its queue had no room for: as a counter of its own metrics. */
import { createNoopMeter, type Meter, type MeterProvider } from '@opentelemetry/api'

/** The counter of OpenTelemetry's conventions, and the label that says why a span was not sent on. */
const PROCESSED = 'otel.sdk.processor.span.processed'
const QUEUE_FULL = 'queue_full'

/** A provider whose meters call `onDropped` with the spans that found the queue full, and measure nothing else. */
export function countingMeter(onDropped: (spans: number) => void): MeterProvider {
  // There is one of these for all, so it is not changed.
  const silent = createNoopMeter()
  const createCounter: Meter['createCounter'] = (name, options) =>
    name === PROCESSED
      ? { add: (count, labels) => labels?.['error.type'] === QUEUE_FULL && onDropped(count) }
      : silent.createCounter(name, options)
  const meter: Meter = Object.create(silent, { createCounter: { value: createCounter } })
  return { getMeter: () => meter }
}
