/** How many governed calls a process has had, and how many of them failed by its own fault: what it tells systemd in its status. */

/** Since the process began. */
export type CallFigures = Readonly<{ calls: number; failed: number }>

/** An error of our own. What a model server or the way to it does wrong is answered with others, or was judged. */
const OWN_FAULTS: readonly number[] = [500, 503]

type CountHttp = (method: string, path: string, status: number) => void

/** Creates the figures. `counting` returns what counts an answer and passes it on; `isJudged` says whether it was. */
export function createCallFigures(): Readonly<{
  counting: (next: CountHttp) => (method: string, path: string, status: number, isJudged: boolean) => void
  read: () => CallFigures
}> {
  let [calls, failed] = [0, 0]
  return {
    counting: (next) => (method, path, status, isJudged) => {
      next(method, path, status)
      if (!path.startsWith('/v1/')) return
      calls += 1
      if (!isJudged && OWN_FAULTS.includes(status)) failed += 1
    },
    read: () => ({ calls, failed }),
  }
}
