/** Detects prompt injection, in what anybody but the application itself has written. */

import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'
import { createInjectionDetector } from '../rules/injection/injection-detector.ts'
import { INJECTION_WEIGHTS } from '../rules/injection/model-weights.ts'

/** Kinds `injection.*`. The default policy refuses from confidence 0.8 on. */
export function createStep(engine: Engine): LocalStep {
  const { base64, scale, bias } = INJECTION_WEIGHTS
  const weights = new Int8Array(Buffer.from(base64, 'base64'))
  const detect = createInjectionDetector(engine, { weights, scale, bias })
  return {
    name: 'detect_injection',
    position: 300,
    category: 'threat_detection',
    stages: ['request'],
    isCacheable: true,
    inspect: (call) => detect(call.segments),
  }
}
