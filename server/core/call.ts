/** A call to be evaluated: one request or one response, with every string of its body projected once. */
import type { CallTrace } from './trace.ts'

/** The stage of a call that is evaluated. */
export type Stage = 'request' | 'response'

/** Who wrote a text. `tool` covers tool results and documents: data, never instructions. */
export type Author = 'system' | 'user' | 'assistant' | 'tool' | 'schema' | 'other'

/**
 * One string of a body: its JSON pointer (RFC 6901; long keys are hashes), its author, its text. `name`: the member's
 * name, where it may tell what the text is. `isNumber`: the digits of a number.
 */
export type Segment = Readonly<{ pointer: string; author: Author; text: string; name?: string; isNumber?: boolean }>

/**
 * Names of tools: those that a request offers to the model (`hosted` of them the model server runs itself), and those that an
 * answer calls. Sorted; what can't be a name is replaced.
 */
export type ToolNames = Readonly<{ offered: readonly string[]; hosted: readonly string[]; called: readonly string[] }>

/** No tools. */
export const NO_TOOLS: ToolNames = { offered: [], hosted: [], called: [] }

/** The two forms of a SPIFFE identity: a client certificate, and a bearer token. */
export type SvidKind = 'x509_svid' | 'jwt_svid'

/** The agent that a call is authenticated as; `credential` is how, unless that was an API key. */
export type Agent = Readonly<{ id: string; uuid: string; org: string; credential?: SvidKind }>

/**
 * What is evaluated. `body` is the parsed JSON, `text` what it was parsed from and what is sent (undefined for a batch of
 * a stream, which is sent as it is put together); `segments` are all strings in it. `publicUrl`: where clients reach us. `clientId`: a hash of the id that
 * the client gave the call, when it is not the call's own. `taint`: the families of findings that taint the session, from
 * earlier calls and stages; undefined when nobody has asked yet. `hasEmbeddings`: base64 in it may be lists of numbers.
 *
 * A body that is longer than LARGE_CHARS is read in another thread: here `body` is undefined, `segments` are those with
 * findings, without their texts, `segmentCount` says how many there are, and `turns` how many messages of users.
 * `isTooComplex`: the body holds more, or is deeper, than can be looked through, and nothing of it was read. `trace` is where calls are traced.
 */
export type Call = Readonly<{
  id: string
  clientId?: string | undefined
  stage: Stage
  agent: Agent
  session: string | undefined
  taint?: readonly string[] | undefined
  publicUrl?: string | undefined
  model: string
  isStream: boolean
  flags: Readonly<Record<string, string>>
  body: unknown
  text?: string | undefined
  bodyBytes: number
  segments: readonly Segment[]
  tools?: ToolNames
  hasEmbeddings?: boolean
  segmentCount?: number
  turns?: number
  isTooComplex?: boolean
  trace?: CallTrace | undefined
}>

/** What a text is a part of, which says how it can be read: a request, an answer that is all there, a stream that goes on. */
export type TextOrigin = 'request' | 'answer' | 'stream'

/** What the texts of a call are parts of. */
export function originOf({ stage, text }: Pick<Call, 'stage' | 'text'>): TextOrigin {
  if (stage === 'request') return 'request'
  return text === undefined ? 'stream' : 'answer'
}

/** Longer texts are looked through in another thread (UTF-16 code units). */
export const LARGE_CHARS = 32 * 1024
