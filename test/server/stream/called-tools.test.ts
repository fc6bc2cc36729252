/** Which tools a stream has called so far, by what came. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNNAMED_TOOL } from '../../../server/protocol/tool-name.ts'
import { CalledTools } from '../../../server/stream/called-tools.ts'
import { chunk } from '../model-server.ts'

const call = (name: string | undefined, index: number | undefined = 0, choice = 0): object =>
  chunk({ tool_calls: [{ ...(index === undefined ? {} : { index }), function: { name } }] }, null, choice)

const ROWS: readonly (readonly [what: string, chunks: readonly object[], names: readonly string[]])[] = [
  ['text only', [chunk({ content: 'hello' }), { choices: [] }, {}], []],
  ['a name at once, then arguments', [call('send'), call(undefined), call(undefined)], ['send']],
  ['a name in pieces', [call('se'), call('nd'), call('_mail')], ['send_mail']],
  ['a name with every piece', [call('send'), call('send'), call('send')], ['send']],
  ['a name that comes late', [call(''), call(undefined), call('send')], ['send']],
  ['no name', [call(undefined)], [UNNAMED_TOOL]],
  ['two calls', [call('send', 1), call('read', 0)], ['read', 'send']],
  ['calls without numbers', [call('send', undefined)], ['send']],
  ['two choices', [call('send', 0, 1), call('read', 0, 0)], ['read', 'send']],
  ['the older form', [chunk({ function_call: { name: 'send', arguments: '' } })], ['send']],
  ['a name without an end', Array.from({ length: 50 }, (_, index) => call(`part${index}`)), [UNNAMED_TOOL]],
]

for (const [what, chunks, names] of ROWS)
  test(what, () => {
    const tools = new CalledTools()
    for (const one of chunks) tools.add(one as Readonly<Record<string, unknown>>)
    assert.deepEqual(tools.names, names)
  })
