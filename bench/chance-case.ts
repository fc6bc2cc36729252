/** Bodies, answers and streams by chance, as calls of worst-case.ts: the same for the same seed. */
import { createChance, nextCase } from './body-generator.ts'
import { chatOf } from './worst-bodies.ts'
import { answerOf, type Case } from './worst-shapes.ts'

/** Every third is a request, an answer, a stream whose events hold pieces of an answer. */
export function* chanceCases(seed: number, count: number): Iterable<Case> {
  const chance = createChance(seed)
  for (let number = 0; number < count; number++) {
    const { text, answer } = nextCase(chance, '')
    const given = { path: '/chat/completions', headers: {}, isStream: false, answer: answerOf('Fine.') }
    if (number % 3 === 0) yield { ...given, name: `request ${number}`, body: text }
    else if (number % 3 === 1) yield { ...given, name: `answer ${number}`, body: chatOf('hi'), answer }
    else yield { ...given, name: `stream ${number}`, body: chatOf('hi', { stream: true }), ...streamOf(text, answer) }
  }
}

/** A stream of the texts of an answer in events, one of which has a whole body beside its choice. */
function streamOf(body: string, answer: string): Pick<Case, 'answer' | 'isStream'> {
  const delta = (content: string): string => JSON.stringify({ id: 'a', choices: [{ index: 0, delta: { content } }] })
  const pieces = (answer.match(/[\s\S]{1,40}/g) ?? []).map(delta)
  const events = [`{"id":"a","choices":[],"more":${body.replaceAll('\n', ' ')}}`, ...pieces, '[DONE]']
  return { isStream: true, answer: events.map((data) => `data: ${data}\n\n`).join('') }
}
