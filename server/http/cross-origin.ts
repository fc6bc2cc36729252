/** Which pages of a browser may ask (CORS, fetch.spec.whatwg.org): none, unless a setting names their origins. */
import type { IncomingHttpHeaders } from 'node:http'

type Fields = Readonly<Record<string, string>>

/** Headers of responses that a page may read beside those that any may. */
const EXPOSED = [
  'x-request-id',
  'retry-after',
  'x-should-retry',
  'x-tappass-classification',
  'x-tappass-pipeline-steps',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
].join(', ')

/** How long a browser may believe a preflight. */
const PREFLIGHT_SECONDS = 600

/** A list of header names, as browsers send it. */
const NAMES = /^[A-Za-z0-9-]+(?: ?, ?[A-Za-z0-9-]+)*$/
const NAMES_CHARS_MAX = 2000

/** Given the allowed origins (`*`: all), returns the headers of a response to a request with these headers. */
export function crossOriginHeaders(origins: readonly string[], { origin }: IncomingHttpHeaders): Fields {
  if (origins.length === 0) return {}
  if (origins.includes('*')) {
    return origin === undefined ? {} : { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED }
  }
  // Whoever stores a response has to know that it depends on the origin, also when there is none.
  if (origin === undefined || !origins.includes(origin.toLowerCase())) return { vary: 'Origin' }
  return { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED }
}

/** The headers of a preflight beside those of any response; none for what is no preflight, or of no allowed origin. */
export function preflightHeaders(origins: readonly string[], headers: IncomingHttpHeaders, allow: string): Fields {
  const isAllowed = 'access-control-allow-origin' in crossOriginHeaders(origins, headers)
  if (!isAllowed || headers['access-control-request-method'] === undefined) return {}
  const requested = headers['access-control-request-headers'] ?? ''
  const isList = requested.length <= NAMES_CHARS_MAX && NAMES.test(requested)
  return {
    'access-control-allow-methods': allow,
    // A client library sends headers of its own (x-stainless-…); naming them all would be a list that is never whole.
    'access-control-allow-headers': isList ? requested : 'authorization, content-type',
    'access-control-max-age': String(PREFLIGHT_SECONDS),
  }
}
