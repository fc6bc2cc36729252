/** Which calls are traced, by the names that OpenTelemetry has for it. */
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'

/** A name of OTEL_TRACES_SAMPLER, and the share of traces that it may ask for. */
export type Sampling = Readonly<{ sampler: string; share: number }>

/** Creates it. With `parentbased_` a caller that says whether it is recorded decides; else nobody but the setting. */
export function createSampler({ sampler, share }: Sampling): Sampler {
  const [, isParentBased, name] = /^(parentbased_)?(\w+)$/.exec(sampler) ?? []
  const root = createRoot(name, share)
  return isParentBased ? new ParentBasedSampler({ root }) : root
}

function createRoot(name: string | undefined, share: number): Sampler {
  if (name === 'always_on') return new AlwaysOnSampler()
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(share) : new AlwaysOffSampler()
}
