/** Counts a call of an agent, the same for every route. */
import type { Agent } from './call.ts'
import type { Allowance, RateLimiter } from './ports.ts'
import type { StepContext } from './step.ts'

/** Takes one call out of the agent's allowance. Rejects when the limiter does. */
export async function takeCall(
  limiter: Pick<RateLimiter, 'take'>,
  { org, id }: Agent,
  { callsMax, windowMs }: Pick<StepContext['limits'], 'callsMax' | 'windowMs'>,
  nowMs: number,
): Promise<Allowance> {
  return { ...(await limiter.take(`rl:${org}:${id}`, callsMax, windowMs, nowMs)), callsMax }
}
