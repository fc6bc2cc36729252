/** Engines and steps for tests: each test file has its own, as each gateway has. */
import { createEngine, type Engine } from '../../../server/detection/engine.ts'

/** A new engine. */
export function testEngine(): Engine {
  return createEngine()
}
