/** Paths of requests: the form that is routed, the methods of a path, and what is said of one that is no route. */

/** What of a registered route counts here. */
export type KnownRoute = Readonly<{ method: string | readonly string[]; url: string }>

/** Characters of a path that a message repeats. */
const PATH_CHARS_MAX = 100

/**
 * Given the target of a request, returns the path and query that is routed: `/v1` may stand in front, and slashes that
 * base addresses bring along (`//v1/models`, `/v1/models/`) change nothing.
 */
export function routedPath(target: string): string {
  // So are nearly all: `/v1/chat/completions`, without a query.
  if (/^\/v1(?:\/[\w.:-]+)+$/.test(target)) return target.slice('/v1'.length)
  const [path = '', ...query] = target.split(/(?=\?)/)
  const single = path.replace(/\/{2,}/g, '/')
  const bare = single.startsWith('/v1/') ? single.slice('/v1'.length) : single
  return (bare.length > 1 ? bare.replace(/\/$/, '') : bare) + query.join('')
}

/** Returns the methods that routes have for a path, in the order of their registration, and OPTIONS; none for no route. */
export function methodsOf(routes: readonly KnownRoute[], path: string): readonly string[] {
  const methods = routes.filter(({ url }) => isOf(url, path)).flatMap(({ method }) => method)
  return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])]
}

/** True when the pattern of a route (`/agents/:id`, `/models/*`) is for a path. */
function isOf(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  const isRest = wanted.at(-1) === '*'
  if (isRest ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every((part, index) => (/^[:*]/.test(part) ? given[index] !== '' : part === given[index]))
}

/** What to ask instead, by a word of the path. The last row is for all others. */
const INSTEAD: readonly (readonly [word: RegExp, instead: string])[] = [
  [/embed/i, 'embeddings: POST /v1/embeddings'],
  [/model/i, 'models: GET /v1/models'],
  [/agent/i, 'agents: GET /agents'],
  [/audit|ledger|event/i, 'ledger: GET /audit'],
  [/health|ping|live|ready|status/i, 'health: GET /health'],
  [/openapi|swagger|docs/i, 'document: GET /openapi.json'],
  [/(?<!chat\/)completion/i, 'completions: POST /v1/completions'],
  [/^/, 'chat: POST /v1/chat/completions'],
]

/** What is said of a request whose path, as it was sent, is no route. Says what exists. */
export function unknownRouteMessage(method: string, target: string): string {
  const path = shown(target)
  if (/^\/+v1\/+v1(?:\/|$)/.test(path)) return `${method} ${path}: the base URL has /v1 twice`
  const instead = INSTEAD.find(([word]) => word.test(path))?.[1]
  return `${method} ${path} is not a route of this gateway (${instead}); GET /openapi.json has them all`
}

/** What is said of a method that the routes of a path do not have. */
export function wrongMethodMessage(method: string, target: string, methods: readonly string[]): string {
  return `${method} is not a method of ${shown(target)} (it takes ${methods.join(', ')})`
}

/** The path without its query, cut, in ASCII. */
function shown(target: string): string {
  return target
    .replace(/\?.*$/s, '')
    .slice(0, PATH_CHARS_MAX)
    .replace(/[^\x21-\x7e]/g, '?')
}
