/** One confirmation for equal plans: those of hosts that are planned side by side are shown and asked about together, and the answer counts for each that follows. */
import type { Confirm } from '../command-line/confirmation.ts'
import { type Invocation, isGiven, isInteractive } from '../command-line/invocation.ts'
import { interruptedFailure } from '../core/failure.ts'
import { groupEqualPlans, type PlanEvent, planKey } from '../output/plan-group.ts'
import type { SessionRenderer } from './session-renderer.ts'

/**
 * `hosts` are all of the run. `ask` puts a question; `show` shows the plan of some hosts, and `repeat` says that a host has one that was asked about. A host
 * that has not planned after `patienceMs` is not waited for.
 */
export type ConfirmationContext = Readonly<{
  hosts: number
  ask: Confirm
  show: (hosts: readonly string[], plan: PlanEvent) => void
  repeat: (host: string, first: string) => void
  interrupt: AbortSignal
  patienceMs?: number
}>

/** A host begins, its plan is kept, it asks, and it ends. `keep` returns false for a plan that is to be shown at once: one that follows the answer. */
export type SharedConfirmation = Readonly<{
  begin: (host: string) => void
  keep: (host: string, plan: PlanEvent) => boolean
  confirm: Confirm
  end: (host: string) => void
}>

type Waiting = Readonly<{ resolve: (answer: Promise<boolean>) => void; reject: (reason: Error) => void }>

const PATIENCE_MS = 10_000

function describe(hosts: readonly string[], others: number): string {
  const these = hosts.length === 1 ? (hosts[0] ?? '') : `each of these ${hosts.length} hosts`
  if (others === 0) return these
  return `${these}, and to ${others === 1 ? 'the other one if its' : `any of the ${others} others if its`} plan is the same`
}

type Answer = Readonly<{ first: string; answer: Promise<boolean> }>

/** `planning` are the hosts that have begun and neither asked nor ended; `waiting` those that have asked; `heard` both of these and those that ended. */
class Round {
  /** In the order in which they are listed. */
  readonly begun: string[] = []
  readonly planning = new Set<string>()
  readonly plans = new Map<string, PlanEvent>()
  readonly waiting = new Map<string, Waiting>()
  readonly heard = new Set<string>()
  readonly answers = new Map<string, Answer>()
  readonly #context: ConfirmationContext
  #timer: NodeJS.Timeout | undefined

  constructor(context: ConfirmationContext) {
    this.#context = context
  }

  /** Each group of the hosts that wait is shown and asked about. */
  putQuestions(): void {
    this.stopWaiting()
    const asked = new Map(this.waiting)
    this.waiting.clear()
    const planned = this.begun.flatMap((host) => {
      const plan = this.plans.get(host)
      return plan === undefined || !asked.has(host) ? [] : [[host, plan] as const]
    })
    for (const { hosts, plan } of groupEqualPlans(planned)) {
      this.#context.show(hosts, plan)
      const others = this.#context.hosts - this.heard.size
      const answer = this.#context.ask(describe(hosts, others), plan.changes.length)
      this.answers.set(planKey(plan), { first: hosts[0] ?? '', answer })
      for (const host of hosts) asked.get(host)?.resolve(answer)
    }
  }

  /** A host has asked or ended. The next one may begin in the same turn. */
  hear(host: string): void {
    this.planning.delete(host)
    this.heard.add(host)
    setImmediate(() => {
      if (this.planning.size === 0 && this.waiting.size > 0) this.putQuestions()
    })
  }

  wait(host: string): Promise<boolean> {
    const { patienceMs = PATIENCE_MS } = this.#context
    return new Promise((resolve, reject) => {
      this.waiting.set(host, { resolve, reject })
      this.#timer ??= setTimeout(() => this.putQuestions(), patienceMs)
    })
  }

  stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/** Creates what the hosts of a run share. */
export function createSharedConfirmation(context: ConfirmationContext): SharedConfirmation {
  const { ask, show, repeat, interrupt } = context
  const round = new Round(context)
  interrupt.addEventListener('abort', () => {
    round.stopWaiting()
    for (const { reject } of round.waiting.values()) reject(interruptedFailure('before the confirmation'))
    round.waiting.clear()
  })
  return {
    begin: (host) => {
      round.begun.push(host)
      round.planning.add(host)
    },
    keep: (host, plan) => {
      if (round.heard.has(host) || plan.changes.length === 0) return false
      round.plans.set(host, plan)
      return true
    },
    confirm: async (host, changes) => {
      const plan = round.plans.get(host)
      round.hear(host)
      if (plan === undefined) return await ask(host, changes)
      const known = round.answers.get(planKey(plan))
      if (interrupt.aborted) throw interruptedFailure('before the confirmation')
      if (known === undefined) return await round.wait(host)
      repeat(host, known.first)
      return await known.answer
    },
    end: (host) => {
      const plan = round.plans.get(host)
      // Nobody was asked about it.
      if (plan !== undefined && !round.heard.has(host)) show([host], plan)
      round.hear(host)
    },
  }
}

/** Returns it for the hosts of a run. Where nobody is asked there is none: each host has its own plan. */
export function sharedConfirmation(
  invocation: Invocation,
  hosts: number,
  { showPlan, write }: SessionRenderer,
  ask: Confirm,
): SharedConfirmation | undefined {
  if (hosts < 2 || !isInteractive(invocation) || isGiven(invocation, 'yes')) return undefined
  const repeat = (host: string, first: string) => write(host, `the plan is that of ${first}, and so is the answer`)
  return createSharedConfirmation({ hosts, ask, show: showPlan, repeat, interrupt: invocation.interrupt })
}
