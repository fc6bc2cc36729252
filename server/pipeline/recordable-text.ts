/**
 * Short texts that a client chooses beside its body (ids, a session) or that are recorded (the model): they enter the ledger,
 * and go on to the model server, only when the detectors have nothing against them.
 */
import type { Call } from '../core/call.ts'
import type { LocalStep, StepOutcome } from '../core/step.ts'
import { WITHHELD_MODEL } from '../ledger/entry-builder.ts'
import { allFindings } from './enforce.ts'
import type { Gateway } from './gateway.ts'

type TextSteps = Pick<Gateway, 'steps' | 'limits'>

/** True when no detector of requests finds anything in the text. One that fails has not looked. */
export function isPlainText({ steps, limits }: TextSteps, text: string): boolean {
  const segments = [{ pointer: '/text', author: 'other', text }] as const
  const call: Call = {
    id: '',
    stage: 'request',
    agent: { id: '', uuid: '', org: '' },
    session: undefined,
    model: '',
    isStream: false,
    flags: {},
    body: { text },
    bodyBytes: text.length,
    segments,
  }
  try {
    return steps.filter(isTextDetector).every((step) => step.inspect(call, { limits }).length === 0)
  } catch {
    return false
  }
}

/** Steps whose findings depend on the texts alone. */
function isTextDetector(step: Gateway['steps'][number]): step is LocalStep {
  return step.timeoutMs === undefined && step.isCacheable === true && step.stages.includes('request')
}

/** The model's name as it may be recorded, given what the steps found in the request. */
export function recordableModel(gateway: TextSteps, { model }: Call, outcomes: readonly StepOutcome[]): string {
  if (allFindings(outcomes).some(({ pointer }) => pointer === '/model')) return WITHHELD_MODEL
  // Where a gate refused, the detectors have not seen it.
  const isJudged = outcomes.every(({ status }) => status === 'done')
  return isJudged || isPlainText(gateway, model) ? model : WITHHELD_MODEL
}
