/** The rows that judgement is measured on: texts of the data folder as a client would send them. */
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A message of a chat. */
export type Message = Readonly<{ role: string; content: string; [name: string]: unknown }>

/** A row of the data folder, of whichever file. */
export type SourceRow = Readonly<{
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
  /** The set of the row; none for rows that nothing learns from. */
  set?: string
  /** The same as of the training text that it was made from. */
  key: string
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
export function readRows(folder: string): readonly SourceRow[] {
  return ['ordinary-dev.jsonl', 'attacks-dev.jsonl', 'injection-dev.jsonl'].flatMap((name) => readFile(folder, name))
}

function labelled(folder: string): readonly Sample[] {
  return readRows(folder).flatMap(({ set = '', channel, label, text = '', messages, repo }) => {
    const row = { group: set, set, isAttack: label === 1, key: repo ?? text, ...(repo === undefined ? {} : { repo }) }
    if (messages !== undefined) return conversation(row, messages)
    const body = channel === 'tool' ? asToolResult(text) : asUser(text)
    const sample: Sample = { ...row, stage: 'request', body, text }
    // What an agent reads, it may also write.
    const written: Sample = { ...row, group: `${set}, in an answer`, stage: 'response', body: asAnswer(text), text }
    // Prompts of an application are files of its repository.
    const stored: Sample = { ...row, group: `${set}, as a file`, stage: 'request', body: asToolResult(text), text }
    if (set === 'file') return [sample, written]
    return set === 'awesome-chatgpt-prompts' ? [sample, stored] : [sample]
  })
}

/** A conversation as its last turn sends it, and each answer in it. */
function conversation(
  row: Pick<Sample, 'group' | 'isAttack' | 'set'>,
  messages: readonly Message[],
): readonly Sample[] {
  const text = messages.map(({ content }) => content).join('\n\n')
  const answers = messages.filter(({ role }) => role === 'assistant')
  return [
    { ...row, key: '', stage: 'request', body: { model: MODEL, messages }, text },
    ...answers.map(({ content }): Sample => {
      return {
        ...row,
        group: 'answers of models',
        key: content,
        stage: 'response',
        body: asAnswer(content),
        text: content,
      }
    }),
  ]
}

/** Rows of everyday-dev, each as a user's text and as a tool's; what is an attack on purpose is a user's. */
function everyday(folder: string): readonly Sample[] {
  return readFile(folder, 'everyday-dev.jsonl').flatMap(({ kind = '', expect, parts = [] }) => {
    const text = parts.join('')
    const row = { stage: 'request' as const, isAttack: expect === 'refused', text, key: text }
    return [
      { ...row, group: `everyday ${kind}, ${expect}, by a user`, body: asUser(text) },
      { ...row, group: `everyday ${kind}, ${expect}, by a tool`, body: asToolResult(text) },
    ]
  })
}

/** Files of a folder (and those in it) as tool results; the first characters of each, as tools give them. */
export function readFolder(folder: string): readonly Sample[] {
  return globSync('**/*.{py,ts,js,md,json,yaml,yml,toml,txt,go,rs,rb,java,c,h,sh,html}', { cwd: folder }).flatMap(
    (name) => {
      const path = join(folder, name)
      const text = statSync(path).isFile() ? readFileSync(path, 'utf8').slice(0, FILE_CHARS) : ''
      if (text === '') return []
      return [
        {
          group: `files of ${folder}`,
          isAttack: false,
          stage: 'request',
          body: asToolResult(text),
          text,
          key: name,
          repo: name,
        },
      ]
    },
  )
}

const FILE_CHARS = 64_000

/** All samples of the data folder. */
export function readSamples(folder: string): readonly Sample[] {
  return [...labelled(folder), ...everyday(folder)]
}
