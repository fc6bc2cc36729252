/** Which answers count as calls, and which as failures of our own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCallFigures } from '../../../server/observability/call-figures.ts'

const rows = [
  { path: '/v1/chat/completions', status: 200, isJudged: true, is: [1, 0] },
  { path: '/v1/chat/completions', status: 403, isJudged: false, is: [1, 0] },
  { path: '/v1/chat/completions', status: 500, isJudged: false, is: [1, 1] },
  { path: '/v1/chat/completions', status: 503, isJudged: false, is: [1, 1] },
  // A model server's own status, and the way to it.
  { path: '/v1/chat/completions', status: 503, isJudged: true, is: [1, 0] },
  { path: '/v1/chat/completions', status: 502, isJudged: false, is: [1, 0] },
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
