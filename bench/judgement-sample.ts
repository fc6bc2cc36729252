/** The rows that judgement is measured on: texts of the data folder as a client would send them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A message of a chat. */
export type Message = Readonly<{ role: string; content: string; [name: string]: unknown }>

/** A row of the data folder, of whichever file. */
type SourceRow = Readonly<{
  set?: string
  kind?: string
  channel?: 'user' | 'tool' | 'conversation'
  label?: 0 | 1
  expect?: 'sent' | 'refused'
  text?: string
  parts?: readonly string[]
  messages?: readonly Message[]
  repo?: string
}>

/** What is judged: a request, or an answer. `isAttack`: it should be refused. `group` is the row of the table. */
export type Sample = Readonly<{
  group: string
  stage: 'request' | 'response'
  isAttack: boolean
  body: Readonly<Record<string, unknown>>
  text: string
  repo?: string
  /** Where the text comes from; samples with an equal one share a fold. */
  source: string
}>

const MODEL = 'gpt-4o'

/** A user's request. */
export const asUser = (text: string): Sample['body'] => ({ model: MODEL, messages: [{ role: 'user', content: text }] })

/** A request in which a tool's result came back, as an agent sends it. */
export const asToolResult = (text: string): Sample['body'] => ({
  model: MODEL,
  messages: [
    { role: 'user', content: 'Please have a look, and go on with the task.' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: text },
  ],
})

/** A model's answer. */
export const asAnswer = (text: string): Sample['body'] => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: MODEL,
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }],
})

function readFile(folder: string, name: string): readonly SourceRow[] {
  const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as SourceRow)
}

/** Rows of injection-dev, ordinary-dev and attacks-dev. */
function labelled(folder: string, name: string): readonly Sample[] {
  return readFile(folder, name).flatMap(({ set = '', channel, label, text = '', messages, repo }) => {
    const row = { group: set, isAttack: label === 1, source: set, ...(repo === undefined ? {} : { repo }) }
    if (messages !== undefined) return conversation(row, messages)
    const body = channel === 'tool' ? asToolResult(text) : asUser(text)
    const sample: Sample = { ...row, stage: 'request', body, text }
    // What an agent reads, it may also write.
    const written: Sample = { ...row, group: `${set}, in an answer`, stage: 'response', body: asAnswer(text), text }
    return set === 'file' ? [sample, written] : [sample]
  })
}

/** A conversation as its last turn sends it, and each answer in it. */
function conversation(
  row: Pick<Sample, 'group' | 'isAttack' | 'source'>,
  messages: readonly Message[],
): readonly Sample[] {
  const text = messages.map(({ content }) => content).join('\n\n')
  const answers = messages.filter(({ role }) => role === 'assistant')
  return [
    { ...row, stage: 'request', body: { model: MODEL, messages }, text },
    ...answers.map(({ content }): Sample => {
      return { ...row, group: 'answers of models', stage: 'response', body: asAnswer(content), text: content }
    }),
  ]
}

/** Rows of everyday-dev, each as a user's text and as a tool's; what is an attack on purpose is a user's. */
function everyday(folder: string): readonly Sample[] {
  return readFile(folder, 'everyday-dev.jsonl').flatMap(({ kind = '', expect, parts = [] }) => {
    const text = parts.join('')
    const row = { stage: 'request' as const, isAttack: expect === 'refused', text, source: `everyday ${kind}` }
    return [
      { ...row, group: `everyday ${kind}, ${expect}, by a user`, body: asUser(text) },
      { ...row, group: `everyday ${kind}, ${expect}, by a tool`, body: asToolResult(text) },
    ]
  })
}

/** All samples of the data folder. */
export function readSamples(folder: string): readonly Sample[] {
  const files = ['ordinary-dev.jsonl', 'attacks-dev.jsonl', 'injection-dev.jsonl']
  return [...files.flatMap((name) => labelled(folder, name)), ...everyday(folder)]
}
