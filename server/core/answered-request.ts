/** A request that is over, as metrics and figures count it. */

/**
 * `path` is the pattern of its route, never what the client asked for. `isJudged`: what was answered was judged, so its status may be a model server's.
 * `traceId` is that of the call's trace (W3C Trace Context): the caller's, or one of our own.
 */
export type AnsweredRequest = Readonly<{
  method: string
  path: string
  status: number
  seconds: number
  isJudged: boolean
  traceId: string | undefined
}>
