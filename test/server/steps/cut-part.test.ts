/** Personal data that are cut between two parts of one message, wherever it is cut, and whatever the parts are of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep } from '../../../server/steps/detect-pii.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { PERSONAL } from '../rules/pii-fixture.ts'

const step = createStep(testEngine())
const found = (body: object): ReadonlySet<string> =>
  new Set(step.inspect(callOf(body), undefined as never).map(({ kind }) => kind))

type Cut = (a: string, b: string) => object
const part = (text: string, type = 'text'): object => ({ type, text })
const asks = (...content: readonly unknown[]): object => ({ messages: [{ role: 'user', content }] })
const answers = (...content: readonly unknown[]): object => ({
  choices: [{ index: 0, message: { role: 'assistant', content } }],
})

/** The first is cut everywhere, the others in four places. */
const SHAPES: readonly (readonly [what: string, cut: Cut])[] = [
  ['two parts', (a, b) => asks(part(a), part(b))],
  [
    'an image between',
    (a, b) => asks(part(a), { type: 'image_url', image_url: { url: 'https://x.example/a' } }, part(b)),
  ],
  ['an empty part between', (a, b) => asks(part(a), part(''), part(b))],
  ['two of many parts', (a, b) => asks(part('so'), part('so'), part('so'), part(a), part(b), part('so'), part('so'))],
  ['the last two of three', (a, b) => asks(part('so'), part(a), part(b))],
  ['the first two of three', (a, b) => asks(part(a), part(b), part('so'))],
  ['texts with a value', (a, b) => asks({ type: 'text', text: { value: a } }, { type: 'text', text: { value: b } })],
  ['strings', (a, b) => asks(a, b)],
  ['the result of a tool', (a, b) => asks({ type: 'tool_result', content: [part(a), part(b)] })],
  ['a document', (a, b) => asks({ type: 'document', source: { type: 'content', content: [part(a), part(b)] } })],
  ['a message of a tool', (a, b) => ({ messages: [{ role: 'tool', tool_call_id: 'c', content: [part(a), part(b)] }] })],
  ['a system prompt', (a, b) => ({ system: [part(a), part(b)], messages: [] })],
  ['prompts', (a, b) => ({ prompt: [a, b] })],
  ['inputs', (a, b) => ({ input: [a, b] })],
  [
    'parts of Responses',
    (a, b) => ({ input: [{ role: 'user', content: [part(a, 'input_text'), part(b, 'input_text')] }] }),
  ],
  ['parts of Gemini', (a, b) => ({ contents: [{ role: 'user', parts: [{ text: a }, { text: b }] }] })],
  ['a prediction', (a, b) => ({ prediction: { type: 'content', content: [part(a), part(b)] } })],
  ['an answer', (a, b) => answers(part(a), part(b))],
  ['an answer with a refusal between', (a, b) => answers(part(a), { type: 'refusal', refusal: 'no' }, part(b))],
]

for (const [index, [what, cut]] of SHAPES.entries()) {
  test(what, () => {
    for (const [name, left, value, right] of PERSONAL) {
      const text = left + value + right
      const stride = index === 0 ? 1 : Math.ceil(value.length / 4)
      for (let at = left.length + 1; at < left.length + value.length; at += stride) {
        const [first, second] = [text.slice(0, at), text.slice(at)]
        assert.ok(found(cut(first, second)).has(`pii.${name}`), `${name}: ${first}|${second}`)
      }
    }
  })
}
