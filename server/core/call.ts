/** A call under judgement: one request or one response, with every string of its body projected once. */

/** Where in the life of a call a judgement is made. */
export type Stage = 'request' | 'response'

/** Who wrote a text. `tool` covers tool results and documents: data, never orders. */
export type Author = 'system' | 'user' | 'assistant' | 'tool' | 'schema' | 'other'

/** One string of a body: where it stands (RFC 6901 JSON pointer), who wrote it, what it says. */
export type Segment = Readonly<{ pointer: string; author: Author; text: string }>

/** The agent whose key opened the door. */
export type Agent = Readonly<{ id: string; uuid: string; org: string }>

/** What is judged. `body` is the parsed JSON that will be forwarded; `segments` are all strings in it. */
export type Call = Readonly<{
  id: string
  stage: Stage
  agent: Agent
  session: string | undefined
  model: string
  isStream: boolean
  flags: Readonly<Record<string, string>>
  body: unknown
  bodyBytes: number
  segments: readonly Segment[]
}>
