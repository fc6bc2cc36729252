/** docs/reference/http.md has every route as it is stated (node test/server/http/write-routes.ts writes it). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { withRoutes } from './route-page.ts'
import { statedRoutes } from './stated-routes.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/http.md'), 'utf8')
const { routes } = await statedRoutes()

test('its tables are those of the routes', () => {
  assert.equal(page, withRoutes(page, routes))
})

test('a route that states something else changes it, and one without a table fails', () => {
  const [route] = routes
  assert.ok(route)
  const changed = { ...route, config: { leastRole: 'ADMIN', errors: [] } } as typeof route
  assert.notEqual(page, withRoutes(page, [changed, ...routes.slice(1)]))
  const untold = { ...route, schema: { ...route.schema, tags: ['Elsewhere'] } }
  assert.throws(() => withRoutes(page, [untold, ...routes]), /lacks <!-- routes: Elsewhere/)
})
