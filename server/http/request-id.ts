/** The id of a request: the client's, where it can be, or the gateway's own. */
import type { FastifyRequest } from 'fastify'

/** Ids of a form that says nothing: UUID, ULID, and either behind `req_`. */
const ID_FORM = /^(?:req_)?(?:[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25})$/i

/** Returns the id that a client gave its request; undefined when it is none. */
export function clientRequestId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined
}

/** Returns the client's id when it can be the request's own: it goes into the ledger, and on to the model server. */
export function adoptedId(
  header: string | string[] | undefined,
  isPlainText: (text: string) => boolean,
): string | undefined {
  const id = clientRequestId(header)
  return id !== undefined && ID_FORM.test(id) && isPlainText(id) ? id : undefined
}

/** The client's id comes back to it, under both names that clients read; the request's own stands beside it when it is another one. */
export function idHeaders({ id, headers }: Pick<FastifyRequest, 'id' | 'headers'>): Readonly<Record<string, string>> {
  const clientId = clientRequestId(headers['x-request-id'])
  const ofClient = clientId ?? id
  const names = { 'x-request-id': ofClient, 'request-id': ofClient }
  return ofClient === id ? names : { ...names, 'x-tappass-request-id': id }
}
