/** Which answers count as calls, and which as failures of our own; also as a gateway counts what comes over HTTP. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCallFigures } from '../../../server/observability/call-figures.ts'
import { chat, startGateway } from '../running-gateway.ts'

const rows = [
  { path: '/chat/completions', status: 200, isJudged: true, is: [1, 0] },
  { path: '/chat/completions', status: 403, isJudged: false, is: [1, 0] },
  { path: '/chat/completions', status: 500, isJudged: false, is: [1, 1] },
  { path: '/chat/completions', status: 503, isJudged: false, is: [1, 1] },
  // A model server's own status, and the way to it.
  { path: '/chat/completions', status: 503, isJudged: true, is: [1, 0] },
  { path: '/chat/completions', status: 502, isJudged: false, is: [1, 0] },
  { path: '/embeddings', status: 503, isJudged: false, is: [1, 1] },
  { path: '/models', status: 200, isJudged: false, is: [0, 0] },
  { path: '/health', status: 503, isJudged: false, is: [0, 0] },
] as const

for (const { path, status, isJudged, is } of rows)
  test(`${path} with ${status}${isJudged ? ', judged' : ''}: ${is}`, () => {
    const figures = createCallFigures()
    const seen: unknown[] = []
    const request = { method: 'POST', path, status, isJudged, seconds: 1, traceId: undefined }
    figures.counting((each) => seen.push(each))(request)
    const { calls, failed } = figures.read()
    assert.deepEqual([[calls, failed], seen], [is, [request]])
  })

test('a gateway counts what is called over HTTP, by whichever spelling of the path', async () => {
  const gateway = await startGateway()
  try {
    for (const path of ['/v1/chat/completions', '/chat/completions', '//v1/chat/completions/'])
      assert.equal((await gateway.post(path, chat('good day'))).status, 200)
    await fetch(`${gateway.url}/health`)
    // Its answer is over a moment after the client has it.
    for (const end = Date.now() + 10_000; gateway.figures().calls < 3 && Date.now() < end; ) await sleep(10)
    assert.deepEqual(gateway.figures(), { calls: 3, failed: 0 })
  } finally {
    await gateway.close()
  }
})
