/** What the process asks and tells of itself: its own health route, a governed call of its own, its figures. */
import type { FastifyInstance } from 'fastify'
import { probeCall } from '../governance/probe.ts'
import { askOwnStatus } from '../http/own-request.ts'
import type { CallFigures, createCallFigures } from '../observability/call-figures.ts'
import type { Gateway } from '../pipeline/gateway.ts'

/**
 * `askHealth` gives the status that `/health` answers, to the process itself; `probe` makes a governed call and gives what is wrong with it, undefined for
 * nothing; `figures` are those of the calls so far.
 */
export type Self = Readonly<{
  askHealth: () => Promise<number>
  probe: () => Promise<string | undefined>
  figures: () => CallFigures
}>

/** Creates it; `newId` gives the id of a call. */
export function createSelf(
  server: FastifyInstance,
  gateway: Gateway,
  { read }: ReturnType<typeof createCallFigures>,
  newId: () => string,
): Self {
  return { askHealth: () => askOwnStatus(server, '/health'), probe: () => probeCall(gateway, newId()), figures: read }
}
