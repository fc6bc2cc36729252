/** Requests are validated with the valibot schemas that routes state; nothing else reads those parts of a request. */
import type { FastifySchemaCompiler, FastifyTypeProvider } from 'fastify'
import * as v from 'valibot'
import { PublicError } from './public-error.ts'

/** Gives a handler the types of its route's schemas: `server.withTypeProvider<ValibotTypeProvider>()`. */
export interface ValibotTypeProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends v.GenericSchema ? v.InferOutput<this['schema']> : unknown
  readonly serializer: unknown
}

/** Characters of a problem that are shown: some messages repeat the value, which may be as long as a body. */
const PROBLEM_CHARS_MAX = 160

/** Validates one part of a request; the handler gets what the schema returns. */
export const compileValidator: FastifySchemaCompiler<v.GenericSchema> = ({ schema, httpPart }) => {
  const describe = httpPart === 'querystring' ? queryProblem : bodyProblem
  return (value: unknown) => {
    // Fastify passes null where there is no body.
    const parsed = v.safeParse(schema, value ?? undefined)
    if (parsed.success) return { value: parsed.output }
    return { error: new PublicError('request.invalid', { message: describe(parsed.issues, schema) }) }
  }
}

/** For routes whose requests are judged and not validated: their schemas describe only. */
export const describeOnly = () => (): boolean => true

type Issues = readonly v.BaseIssue<unknown>[]

function bodyProblem(issues: Issues): string {
  const problems = issues.map(
    (issue) => `${v.getDotPath(issue) ?? 'the body'}: ${issue.message.slice(0, PROBLEM_CHARS_MAX)}`,
  )
  return `The request is not valid. ${problems.join('; ')}`
}

/** Says which fields and what is valid, and repeats nothing of the query. */
function queryProblem(issues: Issues, schema: v.GenericSchema): string {
  const fields = issues.map((issue) => v.getDotPath(issue)).join(', ')
  return `Not valid in the query: ${fields}. ${v.getDescription(schema) ?? ''}`
}
