/** Detects prompt injection, in what anybody but the application itself has written. */

import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'
import { createInjectionDetector } from '../rules/injection/injection-detector.ts'
import { parseModel } from '../rules/injection/linear-model.ts'
import { DOCUMENT_WEIGHTS, PROMPT_WEIGHTS } from '../rules/injection/model-weights.ts'

/** Kinds `injection.*`. The default policy refuses from confidence 0.8 on. */
export function createStep(engine: Engine): LocalStep {
  const models = { prompt: parseModel(PROMPT_WEIGHTS), document: parseModel(DOCUMENT_WEIGHTS) }
  const detect = createInjectionDetector(engine, models)
  return {
    name: 'detect_injection',
    position: 300,
    category: 'threat_detection',
    stages: ['request'],
    isCacheable: true,
    inspect: (call) => detect(call.segments),
  }
}
