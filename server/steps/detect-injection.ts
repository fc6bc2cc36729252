/** Detects prompt injection, in what anybody but the application itself has written. */

import type { LocalStep } from '../core/step.ts'
import { createInjectionDetector } from '../rules/injection/injection-detector.ts'
import { INJECTION_WEIGHTS } from '../rules/injection/model-weights.ts'

const detect = createInjectionDetector({
  weights: new Int8Array(Buffer.from(INJECTION_WEIGHTS.base64, 'base64')),
  scale: INJECTION_WEIGHTS.scale,
  bias: INJECTION_WEIGHTS.bias,
})

/** Kinds `injection.*`. The default policy refuses from confidence 0.8 on. */
export const step: LocalStep = {
  name: 'detect_injection',
  position: 300,
  category: 'threat_detection',
  stages: ['request'],
  isCacheable: true,
  inspect: (call) => detect(call.segments),
}
