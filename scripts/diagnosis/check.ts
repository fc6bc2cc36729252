/** What a check is: a question about a host with an id, judged from what was seen of it. Judging asks nothing and changes nothing. */
import type { PreflightFacts, PreflightSpec } from '../converge/preflight.ts'
import type { Health } from '../output/host-health.ts'
import type { ParsedSpec } from '../spec/host-spec.ts'
import type { Outside } from './outside.ts'
import type { Probe } from './probe.ts'

/** `warn`: it works, and will not for ever, or not as safely as it could. `fail`: something is wrong now. `skipped` has its reason. */
export type Verdict =
  | Readonly<{ status: 'ok'; detail: string }>
  | Readonly<{ status: 'skipped'; reason: string }>
  | Readonly<{ status: 'warn' | 'fail'; reason: string; remedy: string }>

/** The settings that checks depend on. */
export type CheckSpec = PreflightSpec & Pick<ParsedSpec, 'domain' | 'tls' | 'deployUser' | 'gateway' | 'instances'>

/** All that was seen of a host: on it in one round trip, and from the machine of the operator. `nowMs` is the clock there. */
export type Seen = Readonly<{
  probe: Probe
  preflight: PreflightFacts
  health: Health
  outside: Outside
  spec: CheckSpec
  nowMs: number
}>

/** `isInstalled`: it is about a server that was installed, and skipped on any other. */
export type Check = Readonly<{ id: string; what: string; isInstalled?: true; judge: (seen: Seen) => Verdict }>

/** Checks of one subject, and the shell text that prints what they judge: lines of a key and a value. */
export type Topic = Readonly<{ name: string; probe: string; checks: readonly Check[] }>

/** It is as it should be. */
export const ok = (detail = ''): Verdict => ({ status: 'ok', detail })
/** It could not be judged. */
export const skip = (reason: string): Verdict => ({ status: 'skipped', reason })
/** It is wrong: why, and what to do about it. */
export const fail = (reason: string, remedy: string): Verdict => ({ status: 'fail', reason, remedy })
/** It is to be looked at. */
export const warn = (reason: string, remedy: string): Verdict => ({ status: 'warn', reason, remedy })

/** Of a list: nothing in it is well; what is in it is shown, a few of them. */
export function none(items: readonly string[], verdictOn: (found: string) => Verdict): Verdict {
  const shown = items.slice(0, 5).join(', ')
  return items.length === 0 ? ok() : verdictOn(items.length > 5 ? `${shown} and ${items.length - 5} more` : shown)
}

/** What is found of a host: each check with its verdict, in order. */
export type Finding = Readonly<{ id: string; what: string }> & Verdict

/** Judges all. */
export function judgeAll(topics: readonly Topic[], seen: Seen): readonly Finding[] {
  return topics
    .flatMap(({ checks }) => checks)
    .map(({ id, what, isInstalled, judge }) => {
      const isOff = isInstalled === true && !seen.preflight.isInstalled
      return { id, what, ...(isOff ? skip('TapPass is not installed here') : judge(seen)) }
    })
}
