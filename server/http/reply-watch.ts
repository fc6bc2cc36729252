/** Replies from the head of a request to the last byte of its answer: which are under way, and what is told of one that is over. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AnsweredRequest } from '../core/answered-request.ts'
import { parseTraceparent } from '../core/trace.ts'
import { isOwnRequest } from './own-request.ts'

/** `watch` begins with it on a server; the figures are those of now. */
export type ReplyWatch = Readonly<{
  watch: (server: FastifyInstance) => void
  inFlight: () => number
  streamsOpen: () => number
}>

/** The client has gone before there was an answer: what web servers log as 499. */
export const CLIENT_GONE = 499

/** Creates the watch; `onAnswered` is called with each request that is over, however it ended. */
export function createReplyWatch(
  onAnswered: (request: AnsweredRequest) => void,
  { elapsedMs }: Readonly<{ elapsedMs: () => number }>,
): ReplyWatch {
  const replies = new Set<FastifyReply>()
  return {
    watch: (server) => {
      server.addHook('onRequest', (request, reply, done) => {
        if (isOwnRequest(request)) return done()
        const startMs = elapsedMs()
        replies.add(reply)
        // Of one that the client breaks off there is no other event.
        reply.raw.once('close', () => {
          replies.delete(reply)
          onAnswered(answeredRequest(request, reply, (elapsedMs() - startMs) / 1000))
        })
        done()
      })
    },
    inFlight: () => replies.size,
    streamsOpen: () => [...replies].filter(isStream).length,
  }
}

function answeredRequest(request: FastifyRequest, reply: FastifyReply, seconds: number): AnsweredRequest {
  const { raw } = reply
  return {
    method: request.method,
    path: request.routeOptions.url ?? '(unknown)',
    status: raw.headersSent ? raw.statusCode : CLIENT_GONE,
    seconds,
    isJudged: reply.hasHeader('x-tappass-classification'),
    traceId: traceIdOf(request),
  }
}

/** The trace that a request belongs to: its caller's, or our own where it is recorded. */
export function traceIdOf({ trace, headers }: Pick<FastifyRequest, 'trace' | 'headers'>): string | undefined {
  return trace?.span ? trace.id : parseTraceparent(headers['traceparent'])?.traceId
}

function isStream(reply: FastifyReply): boolean {
  return reply.raw.headersSent && String(reply.getHeader('content-type')).startsWith('text/event-stream')
}
