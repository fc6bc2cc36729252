/** What stands in a line of the log, and what never does. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSteps } from '../../../server/adapters/step-folder.ts'
import { createTextCheck } from '../../../server/composition/create-gateway.ts'
import { readConfig } from '../../../server/config/config.ts'
import { createEngine } from '../../../server/detection/engine.ts'
import { createHttpServer } from '../../../server/http/http-server.ts'
import { createErrorTexts, REDACTED_MESSAGE } from '../../../server/observability/error-text.ts'
import { createLogger } from '../../../server/observability/logger.ts'
import { RULE_FUNCTIONS } from '../../../server/rules/check/rule-functions.ts'
import { readRuleBook } from '../../../server/rules/rule-book.ts'

const KEY = ['tp', 'only-for-tests-0123456789'].join('_')

function logged(write: (log: ReturnType<typeof createLogger>) => void, level = 'info'): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLogger(level, { write: (line) => void lines.push(line) }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a line is a JSON object with level, time, process and message', () => {
  const before = Date.now()
  const [line = {}] = logged((log) => log.warn({ url: 'http://127.0.0.1:9620' }, 'serving'))
  assert.deepEqual(Object.keys(line), ['level', 'time', 'pid', 'hostname', 'url', 'msg'])
  assert.deepEqual([line['level'], line['pid'], line['msg']], [40, process.pid, 'serving'])
  assert.ok(Number(line['time']) >= before && Number(line['time']) <= Date.now())
})

test('what is below the level is not written', () => {
  assert.deepEqual(
    logged((log) => log.info('serving'), 'warn'),
    [],
  )
  assert.deepEqual(
    logged((log) => log.fatal('over'), 'silent'),
    [],
  )
})

test('an error is logged without the bytes that it was about', () => {
  const error = Object.assign(new Error('parse error'), { code: 'HPE_INVALID', data: 'the text of a call' })
  const [line = {}] = logged((log) => log.error({ err: error }, 'call failed'))
  const { type, message, code } = line['err'] as Record<string, unknown>
  assert.deepEqual([type, message, code], ['Error', 'parse error', 'HPE_INVALID'])
  assert.ok(!JSON.stringify(line).includes('the text of a call'))
})

for (const [where, value] of [
  ['at the top', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
  ['in headers', { headers: { authorization: `Bearer ${KEY}`, 'x-api-key': KEY } }],
  ['in the headers of a request', { request: { headers: { authorization: `Bearer ${KEY}`, 'x-api-key': KEY } } }],
] as const) {
  test(`a key ${where} is not logged`, () => {
    const [line] = logged((log) => log.warn(value, 'refused'))
    assert.ok(!JSON.stringify(line).includes(KEY))
    assert.equal(JSON.stringify(line).split('[redacted]').length, 3)
  })
}

test('the message of an error in which the detector of secrets finds one is not logged, nor at the head of its stack', async () => {
  const { families, rules } = readRuleBook()
  const loaded = await loadSteps(
    [join(import.meta.dirname, '../../../server/steps')],
    createEngine(rules, RULE_FUNCTIONS),
    families,
  )
  const texts = createErrorTexts()
  const lines: string[] = []
  const log = createLogger('info', { write: (line) => void lines.push(line) }, texts.redact)
  const secret = ['AKIA', 'Z7QXWR4MNPL2VK8T'].join('')
  const cause = new Error(`refused: my key is ${secret}`)
  const tell = (err: unknown): string => {
    log.warn({ err }, 'call failed')
    return lines.at(-1) ?? ''
  }
  // Before the detectors are there no call has come: then it does hold it, so the check below can fail.
  assert.ok(tell(cause).includes(secret))
  texts.judgedBy(createTextCheck(readConfig('gateway', {}), loaded, 'detect_secrets'))
  for (const err of [cause, new Error('call failed', { cause }), `my key is ${secret}`]) {
    const line = tell(err)
    assert.ok(!line.includes(secret))
    assert.ok(line.includes(REDACTED_MESSAGE))
  }
  const plain = tell(new Error('connect ECONNREFUSED 10.0.0.5:5432'))
  assert.ok(plain.includes('connect ECONNREFUSED 10.0.0.5:5432') && plain.includes('logger.test.ts'))
})

test('the server logs a failure once, by it, with the id of the request', async () => {
  const lines: string[] = []
  const server = createHttpServer({
    isPlainText: () => true,
    bodyBytesMax: 1000,
    corsOrigins: [],
    newId: () => 'req_1',
    isDraining: () => false,
    replies: { watch: () => {} },
    log: createLogger('info', { write: (line) => void lines.push(line) }),
  })
  server.get('/fails', () => Promise.reject(Object.assign(new Error('lost'), { data: KEY })))
  const { statusCode } = await server.inject({ url: '/fails', headers: { authorization: `Bearer ${KEY}` } })
  await server.close()
  assert.equal(statusCode, 500)
  const [line = {}, ...more] = lines.map((text) => JSON.parse(text) as Record<string, unknown>)
  assert.deepEqual(more, [])
  assert.deepEqual([line['level'], line['msg'], line['request_id']], [50, 'gateway.internal', 'req_1'])
  assert.ok(!JSON.stringify(line).includes(KEY))
})
