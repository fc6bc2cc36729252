/** What runs a client's features: in this process, or in one of its own language (python-driver.ts). */
import type { Place } from './both-ways.ts'

/** What is asked of the client; the driver says what else it reads. */
export type Asked = Readonly<{
  feature: string
  model: string
  content?: unknown
  retries?: number
  headers?: Readonly<Record<string, string>>
  baseURL?: string
  apiKey?: string
  uuid?: string
}>

/** What a feature told its user on the way, and what it gave or raised at last. */
export type Outcome = Readonly<{
  told: readonly unknown[]
  given?: unknown
  raised?: Readonly<{ classes: readonly string[]; message: string; code: unknown; status: unknown; where: string }>
}>

/** The running client. */
export type Driver = Readonly<{ ask: (asked: Place & Asked) => Promise<Outcome>; close: () => Promise<void> }>

/** A feature of a client of JavaScript. */
export type Feature = (asked: Place & Asked, tell: (what: unknown) => void) => Promise<unknown>

function classesOf(error: unknown): readonly string[] {
  const classes: string[] = []
  let one: unknown = Object.getPrototypeOf(error)
  while (one !== null && one !== Error.prototype && one !== Object.prototype) {
    classes.push((one as object).constructor.name)
    one = Object.getPrototypeOf(one)
  }
  return classes
}

/** As JSON would carry it. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

/** Runs features in this process. */
export function startHere(features: Readonly<Record<string, Feature>>): Driver {
  const ask: Driver['ask'] = async (asked) => {
    const told: unknown[] = []
    try {
      const given = await features[asked.feature]?.(asked, (what) => told.push(plain(what)))
      return { told, given: plain(given) }
    } catch (error) {
      const { message, stack = '', code, status } = error as Error & { code?: unknown; status?: unknown }
      return { told, raised: { classes: classesOf(error), message, code, status, where: stack } }
    }
  }
  return { ask, close: async () => {} }
}
