/** How containers are judged: by what the Compose file wants, row by row; and what is said to do. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseCompose } from '../../../scripts/compose/compose-file.ts'
import { findingsOf, type SeenContainers } from '../../../scripts/compose/container-finding.ts'
import {
  judgeContainers,
  parseContainers,
  parseParts,
  renderContainers,
} from '../../../scripts/compose/container-health.ts'

const project = parseCompose('name: tappass\nservices: { db: {}, job: { restart: "no" }, front: { profiles: [x] } }')
const listed = (service: string, state: string, more: object = {}) =>
  JSON.stringify({ ID: service, Service: service, State: state, Image: 'db:1@sha256:aa', ...more })
const DB = listed('db', 'running', { Health: 'healthy' })
const JOB = listed('job', 'exited', { ExitCode: 0 })

const ROWS = [
  { name: 'all is well', lines: [DB, JOB], problems: {} },
  { name: 'no health check', lines: [listed('db', 'running'), JOB], problems: {} },
  { name: 'a job at work', lines: [DB, listed('job', 'running')], problems: {} },
  { name: 'unhealthy', lines: [listed('db', 'running', { Health: 'unhealthy' }), JOB], problems: { db: /unhealthy/ } },
  { name: 'starting', lines: [listed('db', 'running', { Health: 'starting' }), JOB], problems: { db: /starting/ } },
  { name: 'stopped', lines: [listed('db', 'exited', { ExitCode: 137 }), JOB], problems: { db: /ended, with 137/ } },
  { name: 'restarting', lines: [listed('db', 'restarting'), JOB], problems: { db: /restarting/ } },
  {
    name: 'a job that failed',
    lines: [DB, listed('job', 'exited', { ExitCode: 5 })],
    problems: { job: /ended with 5/ },
  },
  { name: 'a job that was not begun', lines: [DB, listed('job', 'created')], problems: { job: /created/ } },
  { name: 'one that is not there', lines: [JOB], problems: { db: /no container/ } },
  { name: 'of a profile', lines: [DB, JOB, listed('front', 'exited')], problems: { front: /ended/ } },
  { name: 'nothing at all', lines: [], problems: { db: /no container/, job: /no container/ } },
] as const

for (const { name, lines, problems } of ROWS)
  test(`containers: ${name}`, () => {
    const health = judgeContainers(project, parseContainers(lines.join('\n')), {})
    const wrong = health.services.filter(({ problem }) => problem !== undefined)
    assert.deepEqual(
      wrong.map(({ service }) => service),
      Object.keys(problems),
    )
    for (const { service, problem } of wrong)
      assert.match(problem ?? '', problems[service as keyof typeof problems] as RegExp)
    assert.equal(health.isHealthy, wrong.length === 0)
    assert.equal(renderContainers(health).includes('WRONG'), wrong.length > 0)
  })

test('containers: what the gateway says of its parts counts', () => {
  const containers = parseContainers(`${DB}\n${JOB}\n`)
  const parts = parseParts('{"status":"unavailable","checks":{"database":"ok","opa":"failed"}}\n')
  const health = judgeContainers(project, containers, parts)
  assert.equal(health.isHealthy, false)
  assert.match(renderContainers(health), /the gateway says: database ok, opa failed\n$/)
  assert.deepEqual(parseParts('no JSON'), {})
})

test('a Compose file: that of this clone, and such as are none', () => {
  const { name, services } = parseCompose(readFileSync(join(import.meta.dirname, '../../../compose.yaml'), 'utf8'))
  const named = (key: 'isOptional' | 'isOnce') => services.filter((each) => each[key]).map((each) => each.name)
  assert.deepEqual(
    [name, named('isOptional'), named('isOnce')],
    ['tappass', ['caddy', 'tunnel'], ['secrets', 'migrate']],
  )
  assert.throws(() => parseCompose(''), /no "name"/)
  assert.throws(() => parseCompose('name: -p'), /no "name"/)
  assert.throws(() => parseCompose('name: x'), /no "services"/)
})

const WELL: SeenContainers = {
  file: 'compose.yaml',
  health: judgeContainers(project, parseContainers(`${DB}\n${JOB}`), { opa: 'ok' }),
  containers: [],
  environment: { path: '/x/.env.prod', missing: [], isOpen: false },
  diskPercent: 50,
}
const gatewayAt = (URL: string) =>
  parseContainers(
    listed('gateway', 'running', {
      Publishers: [
        { URL, PublishedPort: 9620 },
        { URL: '', PublishedPort: 0 },
      ],
    }),
  )

const FINDINGS = [
  { name: 'all is well', seen: {}, found: {} },
  {
    name: 'a stopped service',
    seen: { health: judgeContainers(project, parseContainers(`${listed('db', 'exited')}\n${JOB}`), {}) },
    found: { 'service.db': ['fail', 'tappass logs --compose compose.yaml db'] },
  },
  {
    name: 'an absent one',
    seen: { health: judgeContainers(project, parseContainers(JOB), {}) },
    found: { 'service.db': ['fail', 'docker compose --env-file .env.prod up --detach --wait'] },
  },
  {
    name: 'a part of the gateway',
    seen: { health: judgeContainers(project, parseContainers(`${DB}\n${JOB}`), { opa: 'failed' }) },
    found: { 'gateway.opa': ['fail', 'tappass logs --compose compose.yaml gateway'] },
  },
  {
    name: 'a secret without a value',
    seen: { environment: { path: '.env.prod', missing: ['TAPPASS_VAULT_KEY'], isOpen: false } },
    found: { secrets: ['fail', 'tappass secrets make --env .env.prod'] },
  },
  {
    name: 'secrets that others can read',
    seen: { environment: { path: '.env.prod', missing: [], isOpen: true } },
    found: { secrets: ['warn', 'tappass secrets make --env .env.prod'] },
  },
  { name: 'no environment file', seen: { environment: undefined }, found: {} },
  { name: 'a full disk', seen: { diskPercent: 97 }, found: { disk: ['fail', 'docker system df; docker image prune'] } },
  { name: 'published on loopback', seen: { containers: gatewayAt('127.0.0.1') }, found: {} },
  { name: 'published to all', seen: { containers: gatewayAt('0.0.0.0') }, found: { published: ['warn', undefined] } },
] as const

for (const { name, seen, found } of FINDINGS)
  test(`what is wrong with containers: ${name}`, () => {
    const wrong = findingsOf({ ...WELL, ...seen }).flatMap((each) =>
      each.status === 'fail' || each.status === 'warn' ? [each] : [],
    )
    assert.deepEqual(
      wrong.map(({ id, status }) => [id, status]),
      Object.entries(found).map(([id, [status]]) => [id, status]),
    )
    for (const { id, remedy } of wrong) {
      const [, expected] = found[id as keyof typeof found] as readonly [string, string | undefined]
      if (expected !== undefined) assert.equal(remedy, expected)
    }
  })
