/** Sends server-sent events: the head at once, then each text as soon as it is there and the one before it has left. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'

/** How long a client has to read the last event of an unfinished body: some drop what they have not read when it is cut. */
const LAST_EVENT_MS = 300

/**
 * Sends texts with the status and headers of the reply. A body that is not complete, as `texts` returns, is left unfinished
 * and its connection closed: a client that does not read error events notices by that.
 */
export function sendTexts(reply: FastifyReply, texts: AsyncGenerator<string, boolean>): FastifyReply {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  raw.flushHeaders()
  pump(raw, texts)
    .catch((err: unknown) => {
      reply.log.error({ err }, 'stream failed')
      return false
    })
    .then((isComplete) => (isComplete ? void raw.end() : cut(raw)))
  return reply
}

/** Closes the connection in the middle of the body; most clients have closed it by then. */
async function cut(raw: ServerResponse): Promise<void> {
  const closed = new AbortController()
  raw.once('close', () => closed.abort())
  if (!raw.destroyed) await sleep(LAST_EVENT_MS, undefined, { signal: closed.signal }).catch(() => {})
  raw.destroy()
}

async function pump(raw: ServerResponse, texts: AsyncGenerator<string, boolean>): Promise<boolean> {
  const onClose = (): void => void texts.return(false)
  raw.once('close', onClose)
  try {
    for (;;) {
      const { done, value } = await texts.next()
      if (done) return value
      if (raw.destroyed) return false
      await write(raw, value)
    }
  } finally {
    raw.off('close', onClose)
    // It records its end by that, when it has not ended by itself.
    await texts.return(false)
  }
}

/** Resolves when the text has been handed to the connection, or the client has gone. */
async function write(raw: ServerResponse, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  raw.once('close', resolve)
  raw.write(text, () => resolve())
  await promise
  raw.off('close', resolve)
}
