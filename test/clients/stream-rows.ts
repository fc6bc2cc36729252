/**
 * What model servers send as streams, as rows of data: a client of any language asks the stand-in (stand-in.ts) for the row by
 * the name of the model. `turns` are the answers of one conversation: the next one when tools have answered.
 */
import { chunk } from '../server/model-server.ts'

/** A stream: chunks, or events as they stand on the wire. */
export type StreamRow = Readonly<{ model: string; turns: readonly (readonly (object | string)[])[] }>

const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }

/** A text in pieces of a few characters, as tokens come. */
const pieces = (text: string): readonly string[] => text.match(/ ?[^ ]{1,5}| +/gs) ?? []

const role = chunk({ role: 'assistant', content: '' })
const say = (text: string, choice = 0): readonly object[] =>
  pieces(text).map((content) => chunk({ content }, null, choice))
const think = (text: string): readonly object[] => pieces(text).map((piece) => chunk({ reasoning_content: piece }))
const tool = (index: number, text: string): object => chunk({ tool_calls: [{ index, function: { arguments: text } }] })
const begin = (index: number, name: string, text = ''): object =>
  chunk({ tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: text } }] })
const call = (index: number, name: string, json: string): readonly object[] => [
  begin(index, name),
  ...(json.match(/.{1,6}/gs) ?? []).map((piece) => tool(index, piece)),
]
const usage = { ...chunk({}), choices: [], usage: USAGE }
const END = 'data: [DONE]\n\n'

const PARIS = '{"city":"Paris"}'
const UTC = '{"zone":"UTC"}'
const answered = [role, ...say('It is 18 degrees in Paris, and noon.'), chunk({}, 'stop'), END]
const calls = [...call(0, 'get_weather', PARIS), ...call(1, 'get_time', UTC), chunk({}, 'tool_calls'), END]

/** The streams. */
export const STREAM_ROWS: readonly StreamRow[] = [
  { model: 'text', turns: [[role, ...say('Good morning. How are you today?'), chunk({}, 'stop'), usage, END]] },
  { model: 'parallel-tools', turns: [[role, ...calls], answered] },
  { model: 'words-then-tools', turns: [[role, ...say('I will tell you what I find'), ...calls], answered] },
  {
    model: 'reasoning',
    turns: [
      [
        role,
        ...think('The user greets me, so I greet them back and offer help with'),
        ...say('Hello! How can I help?'),
        chunk({}, 'stop'),
        END,
      ],
    ],
  },
  {
    model: 'reasoning-and-tools',
    turns: [[role, ...think('I need the weather and the time'), ...say('One moment'), ...calls], answered],
  },
  {
    model: 'interleaved-tools',
    turns: [
      [
        role,
        begin(0, 'get_weather', '{"ci'),
        begin(1, 'get_time', '{"zo'),
        tool(0, 'ty":"Pa'),
        tool(1, 'ne":"UT'),
        tool(0, 'ris"}'),
        tool(1, 'C"}'),
        chunk({}, 'tool_calls'),
        END,
      ],
      answered,
    ],
  },
  {
    model: 'tools-without-index',
    turns: [
      [
        role,
        ...[
          { id: 'a1', type: 'function', function: { name: 'get_weather', arguments: PARIS } },
          { id: 'b2', type: 'function', function: { name: 'get_time', arguments: UTC } },
        ].map((one) => chunk({ tool_calls: [one] })),
        chunk({}, 'tool_calls'),
        END,
      ],
      answered,
    ],
  },
  {
    model: 'usage-beside-an-empty-choice',
    turns: [[role, ...say('Good.'), chunk({}, 'stop'), { ...chunk({}), usage: USAGE }, END]],
  },
  {
    model: 'empty-reasons',
    turns: [[...['Hello', ' there', '!'].map((content) => chunk({ content }, '')), chunk({}, 'stop'), END]],
  },
  {
    model: 'filter-results-first',
    turns: [
      [
        { ...chunk({}), choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
        role,
        ...say('Good.'),
        chunk({}, 'stop'),
        END,
      ],
    ],
  },
  {
    model: 'keep-alive',
    turns: [
      [': ping\n\n', 'data: \n\n', '{"type":"ping"}', role, ': ping\n\n', ...say('Good.'), chunk({}, 'stop'), END],
    ],
  },
  {
    model: 'choices',
    turns: [
      [
        role,
        ...say('One ', 0),
        ...say('Two ', 1),
        ...say('more', 0),
        ...say('too', 1),
        chunk({}, 'stop'),
        chunk({}, 'stop', 1),
        END,
      ],
    ],
  },
  {
    model: 'refusal',
    turns: [
      [role, ...pieces('I can not help with that.').map((piece) => chunk({ refusal: piece })), chunk({}, 'stop'), END],
    ],
  },
  { model: 'structured', turns: [[role, ...say('{"city":"Ghent","days":[1,2,3]}'), chunk({}, 'stop'), END]] },
  { model: 'react', turns: [[role, ...say('Thought: I know it.\nAnswer: Good morning.'), chunk({}, 'stop'), END]] },
  {
    model: 'handoff',
    turns: [[role, ...call(0, 'transfer_to_other', '{}'), chunk({}, 'tool_calls'), END], answered],
  },
  {
    model: 'trip-call',
    turns: [[role, ...call(0, 'Trip', '{"city":"Ghent","days":[1,2,3]}'), chunk({}, 'tool_calls'), END], answered],
  },
  {
    model: 'structured-call',
    turns: [[role, ...call(0, 'final', '{"city":"Ghent","days":[1,2,3]}'), chunk({}, 'tool_calls'), END], answered],
  },
  {
    model: 'error',
    turns: [
      [
        role,
        ...say('Half of it'),
        {
          error: {
            message: 'context length exceeded: 8192',
            type: 'invalid_request_error',
            param: null,
            code: 'context_length_exceeded',
          },
        },
      ],
    ],
  },
  { model: 'broken', turns: [[role, ...say('Half of it and no end')]] },
]

/** An event as it stands on the wire. */
export function eventOf(part: object | string): string {
  if (typeof part !== 'string') return `data: ${JSON.stringify(part)}\n\n`
  return part.startsWith('{') ? `data: ${part}\n\n` : part
}
