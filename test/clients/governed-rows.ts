/** What model servers send that the gateway changes or refuses, in the form of stream-rows.ts. */
import { chunk } from '../server/model-server.ts'
import { privateKey } from '../server/rules/fixture.ts'
import type { StreamRow } from './stream-rows.ts'

const END = 'data: [DONE]\n\n'
const said = (text: string): readonly (object | string)[] => [
  chunk({ role: 'assistant', content: '' }),
  ...(text.match(/.{1,7}/gs) ?? []).map((content) => chunk({ content })),
  chunk({}, 'stop'),
  END,
]
const called = (text: string): readonly (object | string)[] => [
  chunk({ role: 'assistant', content: '' }),
  chunk({
    tool_calls: [{ index: 0, id: 'call_0', type: 'function', function: { name: 'get_weather', arguments: '' } }],
  }),
  ...(text.match(/.{1,7}/gs) ?? []).map((piece) =>
    chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] }),
  ),
  chunk({}, 'tool_calls'),
  END,
]

/** What the mask of personal data takes out. */
export const ADDRESS: string = ['anna.devries', 'example.org'].join('@')

/** What stands in its place. */
export const MASK = '[REDACTED:pii.email]'

/** `secret` is refused after some of it has left, `secret-in-a-call` in the arguments; `personal` is masked when the call says so. */
export const GOVERNED_ROWS: readonly StreamRow[] = [
  { model: 'secret', turns: [said(`The key follows. ${'It is long. '.repeat(30)}${privateKey()} That was it.`)] },
  { model: 'secret-in-a-call', turns: [called(JSON.stringify({ city: privateKey() }))] },
  { model: 'personal', turns: [said(`Write to ${ADDRESS} about it.`)] },
]
