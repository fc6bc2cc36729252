/** Judges bodies as the gateway does, without a server: its steps and its policy, and what a caller would get. */
import { join } from 'node:path'
import { createWasmPolicy } from '../server/adapters/opa-wasm.ts'
import { loadSteps } from '../server/adapters/step-folder.ts'
import { systemClock } from '../server/adapters/system.ts'
import type { Call } from '../server/core/call.ts'
import type { Finding } from '../server/core/finding.ts'
import type { Step } from '../server/core/step.ts'
import type { Verdict } from '../server/core/verdict.ts'
import { createEngine } from '../server/detection/engine.ts'
import { policyInput } from '../server/pipeline/policy-input.ts'
import { runSteps } from '../server/pipeline/step-runner.ts'
import { policyDocument, readPolicy } from '../server/policy/policy-document.ts'
import { project } from '../server/protocol/projection.ts'
import { RULE_FUNCTIONS } from '../server/rules/check/rule-functions.ts'
import { createInjectionDetector, type InjectionModels } from '../server/rules/injection/injection-detector.ts'
import { readRuleBook } from '../server/rules/rule-book.ts'

/** What a caller gets, and why; `us`: processor time of the steps and the policy. */
export type Judged = Readonly<{
  verdict: Verdict
  findings: readonly Finding[]
  segments: Call['segments']
  us: number
}>

/** Judges one body. */
export type Judge = (stage: Call['stage'], body: Readonly<Record<string, unknown>>) => Promise<Judged>

const LIMITS = { callsMax: 1, windowMs: 1, bodyBytesMax: 16_000_000 }

/** Creates a judge with all steps and the default policy; with `models`, those judge in place of the built-in ones. */
export async function createJudge(models?: InjectionModels): Promise<Judge> {
  const { rules, families } = readRuleBook()
  const engine = createEngine(rules, RULE_FUNCTIONS)
  const { steps, registry } = await loadSteps([join(import.meta.dirname, '../server/steps')], engine, families)
  const detect = models === undefined ? undefined : createInjectionDetector(engine, models)
  const policy = await createWasmPolicy(readPolicy(), policyDocument(registry))
  const limiter = {
    take: async () => ({ isAllowed: true, remaining: 1, resetMs: 0 }),
    ping: async () => {},
    close: async () => {},
  }
  const runner = {
    steps: detect === undefined ? steps : steps.map((step) => withModels(step, detect)),
    limits: LIMITS,
    ports: { clock: systemClock, limiter, meter: { count: () => {}, observe: () => {} } },
  }
  return async (stage, body) => {
    const before = process.cpuUsage()
    const call = callOf(stage, body)
    const { outcomes } = await runSteps(runner, call)
    const verdict = await policy.decide(policyInput(call, outcomes), 'dec_bench')
    const { user, system } = process.cpuUsage(before)
    const findings = outcomes.flatMap((outcome) => (outcome.status === 'done' ? outcome.findings : []))
    return { verdict, findings, segments: call.segments, us: user + system }
  }
}

function withModels(step: Step, detect: (segments: Call['segments']) => readonly Finding[]): Step {
  return step.name === 'detect_injection'
    ? ({ ...step, inspect: ({ segments }: Call) => detect(segments) } as Step)
    : step
}

function callOf(stage: Call['stage'], body: Readonly<Record<string, unknown>>): Call {
  return {
    id: 'bench',
    stage,
    agent: { id: 'bench', uuid: 'ag_bench', org: 'default' },
    session: undefined,
    model: 'gpt-4o',
    isStream: false,
    flags: {},
    body,
    bodyBytes: 0,
    segments: project(body),
  }
}
