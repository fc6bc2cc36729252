/** The trace of a governed call: begun with its head, ended with its reply, and named in the lines of its log. */
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Clock } from '../core/ports.ts'
import { parseTraceparent, type SpanAttributes, type Tracer } from '../core/trace.ts'
import { onClose } from './budget-hook.ts'
import { CLIENT_GONE, traceIdOf } from './reply-watch.ts'

/** Creates the hook of the routes whose requests are calls; without a tracer it names the caller's trace in the log, no more. */
export function traceCalls(tracer: Tracer | undefined, clock: Pick<Clock, 'elapsedMs'>): onRequestHookHandler {
  return (request, reply, done) => {
    if (tracer) beginTrace(tracer, request, reply, clock)
    const id = traceIdOf(request)
    if (id !== undefined) {
      request.log = request.log.child({ trace_id: id })
      reply.log = request.log
    }
    done()
  }
}

function beginTrace(
  tracer: Tracer,
  request: FastifyRequest,
  reply: FastifyReply,
  { elapsedMs }: Pick<Clock, 'elapsedMs'>,
): void {
  const { id, method, headers } = request
  const route = request.routeOptions.url ?? ''
  const trace = tracer.start({
    name: `${method} ${route}`,
    startMs: elapsedMs() - reply.elapsedTime,
    parent: parseTraceparent(headers['traceparent']),
    attributes: { 'http.request.method': method, 'http.route': route, 'tappass.call.id': id },
  })
  request.trace = trace
  onClose(reply, () => trace.end(endOf(reply)))
}

function endOf(reply: FastifyReply): SpanAttributes {
  const { headersSent, statusCode, writableFinished } = reply.raw
  const status = headersSent ? statusCode : CLIENT_GONE
  const classification = reply.getHeader('x-tappass-classification')
  const isWhole = status < 500 && writableFinished
  return {
    'http.response.status_code': status,
    ...(typeof classification === 'string' ? { 'tappass.classification': classification } : {}),
    // An answer that was begun and not finished: its client has gone, or its stream failed.
    ...(isWhole ? {} : { 'error.type': headersSent && status < 500 ? 'unfinished' : String(status) }),
  }
}
