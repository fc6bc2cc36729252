/** The clients that are tested: package, and the class that each raises for a kind of failure. docs/reference/clients.md shows both. */

/** Kinds of failures that clients may have classes for. */
export type Kind = 'refused' | 'cut' | 'key' | 'large' | 'limit' | 'unavailable' | 'server'

/** The class that a client raises, by kind. */
export type Classes = Readonly<Partial<Record<Kind, string>>>

const OPENAI = {
  refused: 'PermissionDeniedError',
  cut: 'APIError',
  key: 'AuthenticationError',
  large: 'APIStatusError',
  limit: 'RateLimitError',
  unavailable: 'InternalServerError',
  server: 'InternalServerError',
} as const

/** The clients by the name of their package; those of Python have `pins`, the file below test/clients/python that pins them. */
export const CLIENTS = {
  'openai-py': { package: 'openai', pins: 'clients', classes: OPENAI },
  'openai-js': { package: 'openai', pins: undefined, classes: { ...OPENAI, large: 'APIError' } },
  vercel: {
    package: 'ai',
    pins: undefined,
    classes: {
      refused: 'APICallError',
      key: 'APICallError',
      large: 'APICallError',
      limit: 'RetryError',
      unavailable: 'RetryError',
    },
  },
  langchain: {
    package: 'langchain-openai',
    pins: 'clients',
    classes: {
      refused: 'OpenAIPermissionDeniedError',
      cut: 'APIError',
      key: 'OpenAIAuthenticationError',
      large: 'APIStatusError',
      limit: 'OpenAIRateLimitError',
      unavailable: 'OpenAIAPIError',
      server: 'OpenAIAPIError',
    },
  },
  'llama-index': { package: 'llama-index-core', pins: 'llama-index', classes: OPENAI },
  'pydantic-ai': {
    package: 'pydantic-ai-slim',
    pins: 'clients',
    classes: {
      refused: 'ModelAuthenticationError',
      cut: 'ModelAPIError',
      key: 'ModelAuthenticationError',
      large: 'ModelHTTPError',
      limit: 'ModelRateLimitError',
      unavailable: 'ModelUnavailableError',
      server: 'ModelServerError',
    },
  },
  'openai-agents': { package: 'openai-agents', pins: 'clients', classes: OPENAI },
  tappass: { package: 'tappass', pins: 'clients', classes: { refused: 'PolicyBlockError' } },
} as const
