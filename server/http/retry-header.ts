/** What a model server says about trying again, passed on. */
import type { UpstreamResponse } from '../core/ports.ts'

/** The headers, in the forms that clients read; a value of another form is dropped. */
const RETRY_HEADERS: Readonly<Record<string, (value: string) => string | undefined>> = {
  'retry-after': (value) => (/^\d{1,8}(?:\.\d{1,6})?$/.test(value) ? value : httpDate(value)),
  'retry-after-ms': (value) => (/^\d{1,10}(?:\.\d{1,6})?$/.test(value) ? value : undefined),
  'x-should-retry': (value) => (/^(?:true|false)$/.test(value) ? value : undefined),
}

/** Given a response's headers, returns those about trying again, as they may leave. */
export function retryHeaders(headers: UpstreamResponse['headers']): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {}
  for (const name in RETRY_HEADERS) {
    const given = headers[name]
    const value = given === undefined ? undefined : RETRY_HEADERS[name]?.(given.trim())
    if (value !== undefined) kept[name] = value
  }
  return kept
}

/** The three forms of RFC 9110, section 5.6.7: the preferred one, RFC 850's, asctime's. */
const HTTP_DATE =
  /^(?:[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT|[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/

/** A date in the preferred form; undefined when it is none. */
function httpDate(text: string): string | undefined {
  if (!HTTP_DATE.test(text)) return undefined
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? undefined : new Date(ms).toUTCString()
}
