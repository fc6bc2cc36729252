/** Which tools a body offers and calls, in all forms of the API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCallBody } from '../../../server/protocol/call-body.ts'
import { ProjectionError } from '../../../server/protocol/projection.ts'
import { toolNamesOf, UNNAMED_TOOL } from '../../../server/protocol/tool-name.ts'

const offers = (name: string): object => ({ type: 'function', function: { name } })
const answer = (message: unknown): object => ({ choices: [{ index: 0, message }] })

/** What of offered, hosted and called is not empty. */
const ROWS: readonly (readonly [what: string, body: object, names: object])[] = [
  ['no tools', { messages: [] }, {}],
  ['tools, sorted and once each', { tools: ['b', 'a', 'b'].map(offers) }, { offered: ['a', 'b'] }],
  ['a tool without a type', { tools: [{ function: { name: 'a' } }] }, { offered: ['a'] }],
  ['a custom tool', { tools: [{ type: 'custom', custom: { name: 'shell' } }] }, { offered: ['shell'] }],
  ['a name beside the type', { tools: [{ type: 'function', name: 'a' }] }, { offered: ['a'] }],
  ['the older form', { functions: [{ name: 'a' }] }, { offered: ['a'] }],
  [
    'tools of the model server',
    { tools: [{ type: 'web_search' }, offers('a')], web_search_options: {} },
    { offered: ['a', 'web_search'], hosted: ['web_search'] },
  ],
  [
    'a tool of a kind of its own',
    { tools: [{ google_search: {} }] },
    { offered: [UNNAMED_TOOL], hosted: [UNNAMED_TOOL] },
  ],
  ['no tool at all', { tools: [null, 'x', 1] }, { offered: [UNNAMED_TOOL], hosted: [UNNAMED_TOOL] }],
  ['a name that is a text', { tools: [offers('delete all of it')] }, { offered: [UNNAMED_TOOL] }],
  ['names of MCP', { tools: [offers('mcp__mail/send:v1.0')] }, { offered: ['mcp__mail/send:v1.0'] }],
  ['calls of an answer', answer({ tool_calls: [offers('b'), offers('a')] }), { called: ['a', 'b'] }],
  ['the older call', answer({ function_call: { name: 'a', arguments: '{}' } }), { called: ['a'] }],
  ['a call of a custom tool', answer({ tool_calls: [{ type: 'custom', custom: { name: 'a' } }] }), { called: ['a'] }],
  ['a call without a name', answer({ tool_calls: [{ id: 'call_1' }] }), { called: [UNNAMED_TOOL] }],
  ['an answer in text', answer({ content: 'hello', tool_calls: null, function_call: null }), {}],
  ['choices that are none', { choices: [null, 1, { message: null }, {}] }, {}],
  ['earlier calls in a request', { messages: [{ role: 'assistant', tool_calls: [offers('a')] }] }, {}],
]

for (const [what, body, names] of ROWS)
  test(what, () => {
    assert.deepEqual(toolNamesOf(body), { offered: [], hosted: [], called: [], ...names })
  })

test('thousands of different tools are more than a policy is asked about: the body is refused, none is left out', () => {
  const bodyOf = (count: number): object => ({
    tools: Array.from({ length: count }, (_, index) => offers(`t${index}`)),
  })
  const read = (count: number) => readCallBody(bodyOf(count), JSON.stringify(bodyOf(count)), false)
  assert.equal(read(2000).tools.offered.length, 2000)
  assert.throws(() => read(2001), ProjectionError)
})
