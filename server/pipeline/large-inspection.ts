/** What the other thread does: reads a large body, and runs the local steps over it. Nothing is thrown, nothing decided. */
import { type Call, NO_TOOLS, type Segment } from '../core/call.ts'
import { type Inspection, InspectionError, type InspectionTask, withoutOwnText } from '../core/inspection.ts'
import type { Clock } from '../core/ports.ts'
import type { LocalStep, Step, StepOutcome } from '../core/step.ts'
import { parseBody, readCallBody } from '../protocol/call-body.ts'
import { ProjectionError } from '../protocol/projection.ts'
import { allFindings } from './enforce.ts'
import type { FindingCache } from './finding-cache.ts'
import { isAdmitting, isLocalStep, runLocalSteps } from './local-run.ts'
import { failedOutcome, skipped } from './step-run.ts'

/** What it does it with. */
export type Inspecting = Readonly<{ steps: readonly Step[]; clock: Clock; findingCache: FindingCache }>

/** Carries out a task. */
export function inspectLarge(inspecting: Inspecting, task: InspectionTask): Inspection {
  const { call, gates, detectors } = task
  const read = readText(call)
  if (read === undefined) return { status: 'malformed' }
  if (read instanceof ProjectionError) {
    // Too much or too deep: no step has seen it.
    const cause = new InspectionError(read.message)
    const outcomes = [...gates, ...detectors].map((name) => failedOutcome(name, 0, cause))
    return { status: 'inspected', outcomes, seen: {} }
  }
  const outcomes = runNamed(inspecting, { ...task, call: read })
  const segments = task.isTextWanted ? read.segments : withFindings(read.segments, outcomes)
  const seen = { ...seenOf(call, read), segments, segmentCount: read.segments.length }
  return { status: 'inspected', outcomes, seen }
}

/** What is known of a call now. An answer says which model gave it; the call is still to the one that was asked for. */
function seenOf(call: Call, { body, model, isStream, text, turns = 1, tools = NO_TOOLS }: Call): Partial<Call> {
  if (call.text === undefined) return {}
  const changed = text === call.text ? {} : { text }
  const named = { body: { model: (body as { model?: unknown }).model } }
  return call.stage === 'request'
    ? { ...named, ...changed, tools, model, isStream, turns }
    : { ...named, ...changed, tools }
}

/** The call with its body; undefined when its text is no JSON object. A call without a text has its segments already. */
function readText(call: Call): Call | ProjectionError | undefined {
  if (call.text === undefined) return call
  try {
    const parsed = parseBody(call.text)
    if (parsed === undefined) return undefined
    const body = readCallBody(parsed, call.text, call.hasEmbeddings === true)
    const isRequest = call.stage === 'request'
    return isRequest ? { ...call, ...body } : { ...call, ...body, model: call.model, isStream: call.isStream }
  } catch (cause) {
    if (cause instanceof ProjectionError) return cause
    throw cause
  }
}

function runNamed({ steps, clock, findingCache }: Inspecting, task: InspectionTask): readonly StepOutcome[] {
  const { call, gates, detectors, limits } = task
  const named = (names: readonly string[]): readonly LocalStep[] => {
    const found = steps.filter(isLocalStep).filter(({ name }) => names.includes(name))
    if (found.length < names.length) throw new Error('a step is not there in this thread')
    return found
  }
  const ofGates = runLocalSteps(named(gates), call, { limits }, clock)
  if (!isAdmitting(ofGates)) return [...ofGates, ...detectors.map((name) => skipped({ name }))]
  return [...ofGates, ...runLocalSteps(named(detectors), call, { limits }, clock, findingCache)]
}

/** Those that a finding points at, without their texts: whose they are is asked later. */
function withFindings(segments: readonly Segment[], outcomes: readonly StepOutcome[]): readonly Segment[] {
  const pointers = new Set(allFindings(outcomes).map(({ pointer }) => pointer))
  return pointers.size === 0
    ? []
    : segments.filter(({ pointer }) => pointers.has(pointer)).map((segment) => withoutOwnText(segment))
}
