/** A client used twice: straight at the stand-in, and through a gateway in front of it. */
import { type RunningGateway, startGateway } from '../server/running-gateway.ts'
import { answerByModel } from './stand-in.ts'

/** Where a client is pointed at, and with which key. */
export type Place = Readonly<{ baseURL: string; apiKey: string }>

/** The two places. */
export type BothWays = Readonly<{ gateway: RunningGateway; direct: Place; governed: Place; close: () => Promise<void> }>

/** Starts the stand-in and a gateway in front of it, with these settings. */
export async function startBothWays(environment: Readonly<Record<string, string>> = {}): Promise<BothWays> {
  const gateway = await startGateway(environment)
  gateway.models.answer(answerByModel)
  return {
    gateway,
    direct: { baseURL: `${gateway.models.url}/v1`, apiKey: 'none' },
    governed: { baseURL: `${gateway.url}/v1`, apiKey: gateway.agent.key },
    close: gateway.close,
  }
}
