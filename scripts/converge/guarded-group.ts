/**
 * Applies resources that are guarded together: the guard is set before the first change, its time begins again and again while they are made, and
 * the last one is finished only when all are confirmed. Any failure puts all back.
 */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import {
  armCommand,
  confirmCommand,
  GUARD_EXPIRED_CODE,
  guardSeconds,
  mergeGuards,
  renewCommand,
  restoreCommand,
} from '../core/guard.ts'
import type { Command, Output } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { unitFact } from '../facts/unit.ts'
import type { StepFailure } from '../output/event.ts'
import { unmetReason } from '../outside/ingress-expectation.ts'
import { reportFailure } from './failure-report.ts'
import { confirm, putBack, unconfirmed, unreached } from './guarded-change.ts'
import type { PlannedResource } from './plan.ts'
import {
  blockedReason,
  type ConvergeContext,
  notBegun,
  type ResourceStep,
  tryConvergeResource,
} from './resource-step.ts'

const RENEW_MS = 10_000

/** A change may cause another one (a new certificate, a restart). */
const ROUNDS_MAX = 3

/** A guard that is set: `isHeld` until the host has put it back by itself. */
type Armed = { readonly timer: NodeJS.Timeout; readonly seconds: number; isHeld: boolean }

const EXPIRED: Output = { code: GUARD_EXPIRED_CODE, stdout: '', stderr: '' }

type Result = number | StepFailure | Failure

/**
 * The planned resources of one plan. `apply` converges one, and after the last one what these changes have made necessary among all that are guarded
 * together. `isOpen` while a guard is set: then the run is not stopped in between.
 */
export class GuardedGroup {
  readonly #context: ConvergeContext
  readonly #members: readonly PlannedResource[]
  #armed: Armed | undefined
  readonly #all: readonly Resource[]
  #isSettled = false
  /** Not planned before: what is still to be applied, and for which time. */
  #left: readonly Resource[] = []
  #round = 0

  readonly #ask: typeof unmetReason

  /** `resources` are all of the host; `ask` looks from outside. */
  constructor(
    context: ConvergeContext,
    resources: readonly Resource[],
    planned: readonly PlannedResource[],
    ask: typeof unmetReason = unmetReason,
  ) {
    this.#context = context
    this.#all = resources.filter(({ guardedWith }) => guardedWith !== undefined)
    this.#ask = ask
    this.#members = planned.filter(({ resource }) => resource.guardedWith !== undefined)
  }

  isOpen(): boolean {
    return this.#armed !== undefined
  }

  /** Those that are guarded together with this one. */
  fellowsOf({ guardedWith }: Resource): readonly string[] {
    return guardedWith === undefined ? [] : this.#all.map(({ id }) => id)
  }

  async apply(current: ResourceStep): Promise<Result> {
    const { resource } = current
    if (resource.guardedWith === undefined) return await tryConvergeResource(this.#context, current)
    try {
      const failure = this.#isSettled ? undefined : await this.#begin(current)
      if (failure !== undefined) return this.#report(current, failure)
      if (this.#armed === undefined) return await tryConvergeResource(this.#context, current)
      return await this.#applyGuarded(current, this.#members.at(-1)?.resource.id === resource.id)
    } catch (error) {
      this.#close()
      if (error instanceof Failure) return error
      throw error
    }
  }

  async #applyGuarded(current: ResourceStep, isLast: boolean): Promise<Result> {
    const end = (failure: StepFailure | undefined) => this.#end(current, failure, isLast)
    const outcome = await tryConvergeResource({ ...this.#context, guarded: { end } }, current)
    if (outcome instanceof Failure) return await this.#lose(current, outcome)
    const [next, ...others] = this.#left
    if (typeof outcome !== 'number' || next === undefined) return outcome
    this.#left = others
    const more = await this.#applyGuarded({ ...current, resource: next }, others.length === 0)
    return typeof more === 'number' ? outcome + more : more
  }

  async #stillNeeded(): Promise<readonly Resource[]> {
    if (++this.#round > ROUNDS_MAX) return []
    const getFact = this.#context.freshFacts()
    const plans = await Promise.all(this.#all.map(({ plan }) => plan(getFact)))
    return this.#all.filter((_, index) => (plans[index] ?? []).length > 0)
  }

  #report({ step, steps }: ResourceStep, failure: StepFailure): StepFailure {
    this.#context.emit({ event: 'step-failed', step, steps, failure })
    return failure
  }

  /** Where nothing serves there is nothing to go back to. */
  async #isLive(): Promise<boolean> {
    const getFact = this.#context.freshFacts()
    const names = this.#members.flatMap(({ resource }) => resource.guardedWith?.serving ?? []).map(({ name }) => name)
    const states = await Promise.all([...new Set(names)].map((name) => getFact(unitFact(name))))
    return states.some(({ active }) => active === 'active')
  }

  async #begin(current: ResourceStep): Promise<StepFailure | undefined> {
    const { resource } = current
    this.#isSettled = true
    const [first] = this.#members
    const guard = first?.resource.guardedWith
    if (guard === undefined || !(await this.#isLive())) return undefined
    const [change] = first?.changes ?? []
    const blocked = await blockedReason(this.#context)
    if (blocked !== undefined && change !== undefined)
      return notBegun(resource.id, change, blocked, this.#context.retryCommand)
    // What a run left that was ended is put back first, also where nobody has planned that (`--only`).
    await this.#context.run(restoreCommand())
    const inner = this.#members.flatMap(({ changes }) => changes.flatMap((each) => each.guard ?? []))
    const all = mergeGuards([guard, ...inner])
    const command = armCommand(all)
    const output = await this.#context.run(command)
    if (output.code !== 0) return await this.#describe(current, command, output)
    const armed: Armed = { seconds: guardSeconds(all), isHeld: true, timer: setInterval(() => this.#renew(), RENEW_MS) }
    armed.timer.unref()
    this.#armed = armed
    return undefined
  }

  async #renew(): Promise<void> {
    const armed = this.#armed
    const { code } = await this.#context.run(renewCommand()).catch(() => ({ code: 0 }))
    if (code === GUARD_EXPIRED_CODE && armed !== undefined) armed.isHeld = false
  }

  #close(): void {
    clearInterval(this.#armed?.timer)
    this.#armed = undefined
  }

  async #describe({ resource }: ResourceStep, command: Command, output: Output): Promise<StepFailure> {
    const action = 'change the ingress, and see that it answers as before'
    const change = { action, reason: '', commands: [command] as const }
    return await reportFailure(this.#context.run, resource.id, change, { command, output }, this.#context.retryCommand)
  }

  async #putBack(): Promise<void> {
    const waitMs = this.#armed && (this.#armed.seconds + 5) * 1000
    this.#close()
    await putBack(this.#context, { waitMs, deadlineMs: restoreCommand().deadlineMs })
  }

  /** The connection was lost, or the toolkit could not go on. */
  async #lose(current: ResourceStep, failure: Failure): Promise<StepFailure | Failure> {
    if (this.#armed === undefined) return failure
    await this.#putBack()
    if (failure.code !== EXIT_CODE.unreachable) return failure
    const { command, output } = unconfirmed(unreached('the connection was lost', failure))
    return this.#report(current, { ...(await this.#describe(current, command, output)), isPutBack: true })
  }

  async #end(
    current: ResourceStep,
    failure: StepFailure | undefined,
    isLast: boolean,
  ): Promise<StepFailure | undefined> {
    const armed = this.#armed
    if (armed === undefined) return failure
    if (failure !== undefined) {
      await this.#putBack()
      return { ...failure, output: [...failure.output, 'what was there before was put back'], isPutBack: true }
    }
    if (armed.isHeld && isLast) this.#left = await this.#stillNeeded()
    if (armed.isHeld && !(isLast && this.#left.length === 0)) return undefined
    const output = armed.isHeld ? await this.#confirm(current.step) : EXPIRED
    if (output.code === 0) {
      this.#close()
      return undefined
    }
    await this.#putBack()
    const result = unconfirmed(output, armed.seconds)
    return { ...(await this.#describe(current, confirmCommand(), result.output)), isPutBack: true }
  }

  /** From outside first: what confirms ends the guard. */
  async #confirm(step: number): Promise<Output> {
    const { watch, outside, reconnect } = this.#context
    await this.#renew()
    clearInterval(this.#armed?.timer)
    if (watch !== undefined) return await watch.awaitConfirmation(step, this.#armed?.seconds, outside)
    const reason = outside && (await this.#ask(outside))
    return reason === undefined ? await confirm({ reconnect }) : { code: EXIT_CODE.failed, stdout: '', stderr: reason }
  }
}
