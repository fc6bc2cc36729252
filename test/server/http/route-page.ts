/** The tables of docs/reference/http.md that are written from what the routes state, one a tag. */
import type { RouteOptions } from 'fastify'
import { COMMON_ERRORS } from '../../../server/http/route-contract.ts'
import { nameOf } from './stated-routes.ts'

const END = '<!-- end of routes -->'
const startOf = (what: string): string => `<!-- routes: ${what}; written by test/server/http/write-routes.ts -->`

const codes = (all: readonly string[]): string => all.map((code) => `\`${code}\``).join(', ') || 'none'

/** Own errors stand once where neighbours have the same. */
const rowOf = (route: RouteOptions, index: number, routes: readonly RouteOptions[]): string => {
  const { schema, config } = route
  const does = [schema?.summary, schema?.description].filter((text) => text !== undefined).join('. ')
  const own = config?.errors ?? []
  const first = routes.slice(0, index).find((other) => own.length > 2 && other.config?.errors === own)
  const errors = first ? `those of \`${nameOf(first)}\`` : codes(own)
  return `| \`${nameOf(route)}\` | ${config?.leastRole} | ${does} | ${errors} |`
}

const tableOf = (routes: readonly RouteOptions[]): string =>
  ['| route | least role | what it does | errors of its own |', '|---|---|---|---|', ...routes.map(rowOf)].join('\n')

const commonErrors = (): string =>
  [
    '| which routes | errors that they have in common |',
    '|---|---|',
    `| all | ${codes(COMMON_ERRORS.always)} |`,
    `| those that need a key | ${codes(COMMON_ERRORS.key)} |`,
    `| POST and DELETE | ${codes(COMMON_ERRORS.body)} |`,
    `| those whose body or query is validated | ${codes(COMMON_ERRORS.validation)} |`,
    `| those with \`{id}\` | ${codes(COMMON_ERRORS.parameter)} |`,
  ].join('\n')

/** Takes the text of the page, returns it with the tables of today. Throws when the marks of a table are missing. */
export const withRoutes = (page: string, routes: readonly RouteOptions[]): string => {
  const byTag = Map.groupBy(routes, ({ schema }) => schema?.tags?.[0] ?? '')
  const tables = [
    ...[...byTag].map(([tag, tagged]) => [tag, tableOf(tagged)] as const),
    ['errors in common', commonErrors()] as const,
  ]
  return tables.reduce((text, [what, table]) => {
    const start = text.indexOf(startOf(what))
    const end = text.indexOf(END, start)
    if (start < 0 || end < 0) throw new Error(`docs/reference/http.md lacks ${startOf(what)} … ${END}`)
    return `${text.slice(0, start)}${startOf(what)}\n\n${table}\n\n${text.slice(end)}`
  }, page)
}
