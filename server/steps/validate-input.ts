/**
 * Validates requests: wrong types, values out of range, keys that attack parsers. Unknown fields are accepted; their
 * texts are scanned like all others.
 */
import type { Finding } from '../core/finding.ts'
import { isModelName } from '../core/model-name.ts'
import type { LocalStep } from '../core/step.ts'
import { containerPointer, pointerToken } from '../protocol/json-pointer.ts'

const ROLES = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function'])

/** Bounds that APIs agree on. Of a number of tokens only the form is: 0 and -1 mean something to some model servers. */
const RANGES: readonly (readonly [field: string, min: number, max: number, isWhole: boolean])[] = [
  ['temperature', 0, 2, false],
  ['top_p', 0, 1, false],
  ['presence_penalty', -2, 2, false],
  ['frequency_penalty', -2, 2, false],
  ['max_tokens', -10_000_000, 10_000_000, true],
  ['max_completion_tokens', -10_000_000, 10_000_000, true],
  ['n', 1, 128, true],
]

/** Maximum number of invalid messages, and of keys, that are reported; the call is refused for the first. */
const FINDINGS_MAX = 100

/** Fields that some APIs take as text or as lists of token numbers. */
const TOKEN_FIELDS = ['prompt', 'input', 'suffix', 'prompt_token_ids'] as const

/** What each kind demands of its place, for the message of a refusal. */
const EXPECTED: Readonly<Record<string, string>> = {
  not_an_object: 'has to be a JSON object',
  model: 'has to be the name of a model: a text of 1 to 256 characters on one line',
  stream: 'has to be true or false',
  tools: 'has to be a list of objects',
  no_content: 'has to have messages, a prompt or an input that is not empty',
  messages: 'has to be a list with at least one message',
  message: 'has to be an object',
  role: 'has to be one of system, developer, user, assistant, tool, function',
  content: 'has to be a text or a list of objects',
  tokens: 'has to be text: token numbers can not be judged',
  forbidden_key: 'holds a key that changes the prototype of an object',
  too_large: 'is larger than is allowed',
}

type Body = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(kind: string, pointer: string, expected = EXPECTED[kind]): Finding {
  return {
    kind: `request.${kind}`,
    severity: 'high',
    pointer,
    span: [0, 0],
    confidence: 1,
    ...(expected === undefined ? {} : { expected }),
  }
}

/** Kinds `request.*`; each points at the invalid value, or at the body where one is missing. */
export const step: LocalStep = {
  name: 'validate_input',
  position: 100,
  category: 'access_control',
  stages: ['request'],
  isGate: true,
  inspect: (call, tools) => {
    if (!isObject(call.body)) return [invalid('not_an_object', '')]
    const findings = [
      ...checkFields(call.body),
      ...checkContent(call.body),
      ...checkTokens(call.body),
      ...checkKeys(call.body),
    ]
    return call.bodyBytes > tools.limits.bodyBytesMax ? [...findings, invalid('too_large', '')] : findings
  },
}

function checkFields(body: Body): readonly Finding[] {
  const findings: Finding[] = []
  if (typeof body['model'] !== 'string' || !isModelName(body['model'])) findings.push(invalid('model', '/model'))
  for (const [field, min, max, isWhole] of RANGES) {
    const value = body[field]
    if (value === undefined || value === null) continue
    const isInRange = typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value))
    const range = `has to be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}`
    if (!isInRange) findings.push(invalid('out_of_range', `/${field}`, range))
  }
  const { stream, tools } = body
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean')
    findings.push(invalid('stream', '/stream'))
  if (tools !== undefined && tools !== null && !(Array.isArray(tools) && tools.every(isObject)))
    findings.push(invalid('tools', '/tools'))
  return findings
}

/** A chat has messages, a completion a prompt, an embedding an input. */
function checkContent(body: Body): readonly Finding[] {
  const { messages, prompt, input } = body
  if (messages === undefined) {
    const content = prompt ?? input
    // An empty prompt is one; an empty list is none.
    const hasContent = typeof content === 'string' || (Array.isArray(content) && content.length > 0)
    return hasContent ? [] : [invalid('no_content', '')]
  }
  if (!Array.isArray(messages) || messages.length === 0) return [invalid('messages', '/messages')]
  const findings: Finding[] = []
  // One invalid message refuses the call; a body of five million of them must not cost a gigabyte.
  for (let index = 0; index < messages.length && findings.length < FINDINGS_MAX; index++) {
    findings.push(...checkMessage(messages[index], `/messages/${index}`))
  }
  return findings
}

/** Text as a list of token numbers can't be scanned, and a model server would read it all the same. */
function checkTokens(body: Body): readonly Finding[] {
  return TOKEN_FIELDS.filter((field) => holdsNumber(body[field])).map((field) => invalid('tokens', `/${field}`))
}

function holdsNumber(value: unknown): boolean {
  return typeof value === 'number' || (Array.isArray(value) && value.some(holdsNumber))
}

function checkMessage(message: unknown, pointer: string): readonly Finding[] {
  if (!isObject(message)) return [invalid('message', pointer)]
  const { role, content } = message
  if (typeof role !== 'string' || !ROLES.has(role)) return [invalid('role', `${pointer}/role`)]
  const isContent =
    typeof content === 'string' ||
    (Array.isArray(content) && content.every(isObject)) ||
    // An assistant message that only calls tools, or refuses, has no content; that of a function may be null.
    (content === null && (role === 'assistant' || role === 'function')) ||
    (content === undefined && role === 'assistant')
  return isContent ? [] : [invalid('content', `${pointer}/content`)]
}

function checkKeys(body: Body): readonly Finding[] {
  const findings: Finding[] = []
  findForbidden(body, '', findings)
  return findings
}

/**
 * Keys that change a prototype when careless code assigns them: `__proto__`, and `prototype` inside `constructor`. Each
 * of the latter alone is a name like any other, of a property in a schema for example.
 */
function findForbidden(value: object, at: string, findings: Finding[], isConstructor = false): void {
  const pointer = containerPointer(at)
  for (const key of Object.keys(value)) {
    if (findings.length >= FINDINGS_MAX) return
    const member = (value as Body)[key]
    const isContainer = typeof member === 'object' && member !== null
    const isForbidden = key === '__proto__' || (key === 'prototype' && isConstructor)
    if (!isContainer && !isForbidden) continue
    const memberPointer = `${pointer}/${pointerToken(key)}`
    if (isForbidden) findings.push(invalid('forbidden_key', memberPointer))
    if (isContainer) findForbidden(member, memberPointer, findings, key === 'constructor')
  }
}
