/** How many governed calls a process has had, and how many of them failed by its own fault: what it tells systemd in its status. */
import type { AnsweredRequest } from '../core/answered-request.ts'
import { GOVERNED_PATHS } from '../core/governed-path.ts'

/** Since the process began. */
export type CallFigures = Readonly<{ calls: number; failed: number }>

/** An error of our own. What a model server or the way to it does wrong is answered with others, or was judged. */
const OWN_FAULTS: readonly number[] = [500, 503]

const PATHS: ReadonlySet<string> = new Set(GOVERNED_PATHS)

type CountRequest = (request: AnsweredRequest) => void

/** Creates the figures. `counting` returns what counts a request that is over, and passes it on. */
export function createCallFigures(): Readonly<{
  counting: (next: CountRequest) => CountRequest
  read: () => CallFigures
}> {
  let [calls, failed] = [0, 0]
  return {
    counting: (next) => (request) => {
      next(request)
      const { path, status, isJudged } = request
      if (!PATHS.has(path)) return
      calls += 1
      if (!isJudged && OWN_FAULTS.includes(status)) failed += 1
    },
    read: () => ({ calls, failed }),
  }
}
