/** The error of a model server, in whatever form it came, as OpenAI's clients read one. */

type Members = Readonly<Record<string, unknown>>

/** Of an error that is no JSON, this much is passed on. */
const TEXT_CHARS_MAX = 500

/** Problems of a list (FastAPI has one for each field) that a message names. */
const PROBLEMS_MAX = 5

/** Levels at which a message is looked for: an error in a list, in a detail, in an error. */
const DEPTH_MAX = 4

/**
 * Given the text of an error response, undefined when it can't be read, returns `{error: {message, type, param, code}}`.
 * Known are OpenAI's form, errors that are a text, FastAPI's `detail`, lists, problem details (RFC 9457), HTML and plain
 * text. What can't be told is the status.
 */
export function readError(text: string | undefined, status: number): object {
  return errorOf(parse(text ?? ''), `status ${status}`)
}

/** The same of a value that is parsed already; `what` stands for an error that says nothing. */
export function errorOf(value: unknown, what = 'an error'): object {
  const { message, type, param, code } = membersOf(value, what)
  return {
    error: {
      message: message ?? `The model server answered with ${what}.`,
      type: type ?? 'upstream_error',
      param: param ?? null,
      code: code ?? 'upstream.error',
    },
  }
}

type ErrorMembers = Readonly<{
  message?: string | undefined
  type?: string | undefined
  param?: string | undefined
  code?: string | number | undefined
}>

/** JSON, or the text itself. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function membersOf(value: unknown, what: string, depth = 0): ErrorMembers {
  if (depth > DEPTH_MAX) return {}
  if (typeof value === 'string') return { message: messageOfText(value, what) }
  // Google's servers put their error into a list.
  if (Array.isArray(value))
    return value.length === 1 ? membersOf(value[0], what, depth + 1) : { message: problemsOf(value, depth) }
  if (!isObject(value)) return {}
  const { error, detail, errors } = value
  // `{"error": {…}}`, and FastAPI's `{"detail": {"error": {…}}}`.
  const inner = [error, detail].find(isObject)
  if (inner) return { ...flatMembers(value), ...defined(membersOf(inner, what, depth + 1)) }
  const list = [detail, error, errors].find(Array.isArray)
  return {
    ...flatMembers(value),
    ...(list ? defined({ message: problemsOf(list, depth), param: fieldOf(list[0]) }) : {}),
  }
}

/** Members that stand side by side; the names of the message are in the order in which servers mean them. */
function flatMembers(value: Members): ErrorMembers {
  const { error, message, detail, msg, error_description, title, type, error_type, param, code } = value
  const texts = [message, detail, error_description, msg, error, value['Message'], title]
  return {
    message: texts.find((text): text is string => typeof text === 'string' && text.trim() !== ''),
    type: [type, error_type].find((text): text is string => typeof text === 'string'),
    param: typeof param === 'string' ? param : undefined,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
  }
}

/** `messages[0].content: field required; …` */
function problemsOf(list: readonly unknown[], depth: number): string | undefined {
  const problems = list.slice(0, PROBLEMS_MAX).flatMap((item) => {
    const message =
      typeof item === 'string' ? item : isObject(item) ? membersOf(item, '', depth + 1).message : undefined
    const field = fieldOf(item)
    return message === undefined ? [] : [field === undefined ? message : `${field}: ${message}`]
  })
  return problems.length > 0 ? problems.join('; ') : undefined
}

/** FastAPI's `loc`: `["body", "messages", 0, "content"]`. */
function fieldOf(item: unknown): string | undefined {
  const loc = isObject(item) ? item['loc'] : undefined
  if (!Array.isArray(loc)) return undefined
  const path = loc[0] === 'body' ? loc.slice(1) : loc
  const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
  return field === '' ? undefined : field.replace(/^\./, '')
}

/** The title of a page, or a text in one line. */
function messageOfText(text: string, what: string): string | undefined {
  const isPage = /^\s*<(?:!doctype|html|head|body|\?xml)\b/i.test(text)
  const content = isPage ? (/<(?:title|h1)[^>]{0,200}>([^<]{1,500})</i.exec(text)?.[1] ?? '') : text
  const line = content.slice(0, TEXT_CHARS_MAX).replace(/\s+/g, ' ').trim()
  if (line === '') return undefined
  return isPage ? `The model server answered with ${what}: ${line}` : line
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is undefined does not replace anything. */
function defined(members: ErrorMembers): ErrorMembers {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
