/** Errors of model servers, in the forms in which servers send them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readError } from '../../../server/protocol/upstream-error.ts'

const page = (title: string): string =>
  `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body>x</body></html>`
const missing = [{ type: 'missing', loc: ['body', 'messages', 0, 'content'], msg: 'Field required', input: {} }]

const DEEP = `${'{"error":'.repeat(50_000)}1${'}'.repeat(50_000)}`

type Read = Readonly<{ message: string; type?: string; param?: string; code?: string | number }>

const ROWS: readonly (readonly [what: string, sent: unknown, read: Read])[] = [
  [
    'OpenAI',
    { error: { message: 'no', type: 'invalid_request_error', param: 'tools', code: 'x', more: 1 } },
    { message: 'no', type: 'invalid_request_error', param: 'tools', code: 'x' },
  ],
  ['OpenAI, nulls', { error: { message: 'no', type: null, param: null, code: null } }, { message: 'no' }],
  [
    'vLLM',
    { error: { message: 'no', type: 'BadRequestError', param: null, code: 400 } },
    { message: 'no', type: 'BadRequestError', code: 400 },
  ],
  [
    'vLLM, older',
    { object: 'error', message: 'no', type: 'NotFoundError', param: null, code: 404 },
    { message: 'no', type: 'NotFoundError', code: 404 },
  ],
  ['Ollama', { error: 'model "x" not found' }, { message: 'model "x" not found' }],
  ['TGI', { error: 'overloaded', error_type: 'overloaded' }, { message: 'overloaded', type: 'overloaded' }],
  ['FastAPI', { detail: 'Not authenticated' }, { message: 'Not authenticated' }],
  [
    'FastAPI, by field',
    { detail: missing },
    { message: 'messages[0].content: Field required', param: 'messages[0].content' },
  ],
  ['FastAPI, an object', { detail: { message: 'no', code: 'y' } }, { message: 'no', code: 'y' }],
  ['FastAPI, OpenAI inside', { detail: { error: { message: 'no', type: 't' } } }, { message: 'no', type: 't' }],
  [
    'Anthropic',
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    { message: 'Overloaded', type: 'overloaded_error' },
  ],
  ['Google', [{ error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' } }], { message: 'no', code: 400 }],
  [
    'Mistral',
    { object: 'error', message: { detail: missing }, type: 'invalid' },
    { message: 'The model server answered with status 422.', type: 'invalid' },
  ],
  ['Cohere, AWS', { Message: 'no' }, { message: 'no' }],
  ['OAuth', { error: 'invalid_grant', error_description: 'The code is old.' }, { message: 'The code is old.' }],
  ['problem details', { title: 'Out of credit', status: 403, detail: 'No money left.' }, { message: 'No money left.' }],
  ['problem details, a title only', { title: 'Out of credit' }, { message: 'Out of credit' }],
  ['a list', { errors: ['one', { message: 'two' }] }, { message: 'one; two' }],
  ['JSON text', '"model not found"', { message: 'model not found' }],
  ['plain text', 'upstream connect error\n or disconnect', { message: 'upstream connect error or disconnect' }],
  ['a page', page('502 Bad Gateway'), { message: 'The model server answered with status 422: 502 Bad Gateway' }],
  [
    'a page without a title',
    '<html><body><h1>Sorry</h1></body></html>',
    { message: 'The model server answered with status 422: Sorry' },
  ],
  ['a long text', 'x'.repeat(100_000), { message: 'x'.repeat(500) }],
  ...['', '   ', '{}', '[]', 'null', '7', '{"error":{}}', '{"detail":[]}', '<html></html>', DEEP].map(
    (text) =>
      [`nothing: ${text.slice(0, 20)}`, text, { message: 'The model server answered with status 422.' }] as const,
  ),
]
for (const [what, sent, read] of ROWS) {
  test(what, () => {
    const text = typeof sent === 'string' ? sent : JSON.stringify(sent)
    const { error } = readError(text, 422) as { error: object }
    const full = { type: 'upstream_error', param: null, code: 'upstream.error', ...read }
    assert.deepEqual(error, full)
  })
}

test('nothing that can be read', () => {
  assert.match(JSON.stringify(readError(undefined, 500)), /answered with status 500\./)
})
