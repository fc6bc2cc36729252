/** A call to be evaluated: one request or one response, with every string of its body projected once. */

/** The stage of a call that is evaluated. */
export type Stage = 'request' | 'response'

/** Who wrote a text. `tool` covers tool results and documents: data, never instructions. */
export type Author = 'system' | 'user' | 'assistant' | 'tool' | 'schema' | 'other'

/** One string of a body: its RFC 6901 JSON pointer, its author, its text. */
export type Segment = Readonly<{ pointer: string; author: Author; text: string }>

/** The agent that a call is authenticated as. */
export type Agent = Readonly<{ id: string; uuid: string; org: string }>

/** What is evaluated. `body` is the parsed JSON that will be forwarded; `segments` are all strings in it. */
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
