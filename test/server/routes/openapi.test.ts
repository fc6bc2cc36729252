/** The OpenAPI document is valid, and names every route that is there, and no other. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../../server/adapters/system.ts'
import { createApp } from '../../../server/app.ts'
import { readConfig } from '../../../server/config/config.ts'
import { createLogger } from '../../../server/observability/logger.ts'
import { prepareSchema } from '../../../server/process/storage.ts'

const config = readConfig('gateway', { TAPPASS_LOG_LEVEL: 'silent' })
const database = await openPglite({ nowMs: Date.now })
await prepareSchema(database, config, '0', systemClock)
const log = createLogger(config.logLevel)
const app = await createApp(config, {
  database,
  clock: systemClock,
  random: createRandom(),
  log,
  isDraining: () => false,
})
const answer = await app.server.inject('/v1/openapi.json')
/** Lines such as `/agents/:id (GET, DELETE)`. */
const printed = app.server.printRoutes({ commonPrefix: false })
await app.close()
await database.close()

type Document = Readonly<{
  openapi: string
  info: { version: string }
  paths: Record<string, Record<string, { security: unknown[]; responses: object; parameters?: object[] }>>
}>
const document = answer.json() as Document

test('it is an OpenAPI document of this release', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    version: string
  }
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.info.version, version)
  assert.deepEqual(await new Validator().validate(answer.json()), { valid: true })
})

/** The routes of the server's own tree: each line's indentation says what it hangs on. */
function routesOf(tree: string): readonly string[] {
  const above: string[] = []
  const routes: string[] = []
  for (const line of tree.split('\n').filter(Boolean)) {
    const [, indent = '', path = '', methods] = /^([│ ]*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? []
    const depth = indent.length / 4
    above[depth] = path
    const whole = above
      .slice(0, depth + 1)
      .join('')
      .replace(/\/?\*$/, '/{id}')
    // HEAD goes without saying where there is GET.
    for (const method of methods?.split(', ').filter((each) => each !== 'HEAD') ?? [])
      routes.push(`${method} ${whole.replace(/:(\w+)/g, '{$1}')}`)
  }
  return routes
}

test('every route is in it, and no other', () => {
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(documented.toSorted(), routesOf(printed).toSorted())
})

test('what is open to everybody is health, our public keys and the document', () => {
  const open = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).some(({ security }) => security.length === 0) ? [path] : [],
  )
  assert.deepEqual(open.toSorted(), [
    '/.well-known/jwks.json',
    '/health',
    '/health/live',
    '/health/ready',
    '/health/startup',
    '/openapi.json',
  ])
})

test('it says what a request needs: the role, and the values of a query', () => {
  const audit = document.paths['/audit']?.['get']
  assert.deepEqual(audit?.security, [{ bearer: ['AUDITOR'] }, { apiKey: ['AUDITOR'] }])
  assert.deepEqual(audit?.parameters?.[0], {
    name: 'limit',
    in: 'query',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 5000, default: 100 },
  })
})

test('every reference in it leads to something', () => {
  const references = [...answer.body.matchAll(/"\$ref":"#([^"]+)"/g)].map(([, path = '']) => path)
  assert.ok(references.length > 20)
  for (const path of new Set(references)) {
    const found = path
      .split('/')
      .slice(1)
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
    assert.equal(typeof found, 'object', path)
  }
})
