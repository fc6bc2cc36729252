/** A real Prometheus scrapes a gateway as docs/how-to/watch.md says: with a key of an AUDITOR in a file, and the rules in force. Needs: prometheus. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { readPage } from '../docs/page-command.ts'
import { freePort } from '../free-port.ts'
import { chat, startGateway } from '../server/running-gateway.ts'
import { ALERT_FILE, readAlerts } from './rules.ts'

const SETTINGS = join(import.meta.dirname, '../../monitoring/prometheus.yaml')
const page = readPage('how-to/watch.md')

type Settings = { scrape_configs: [{ scheme: string; scrape_interval: string; static_configs: object[] }] }

test('the page shows the settings that are there', () => {
  const [, shown = ''] = /^```yaml\n([\s\S]+?)^```$/m.exec(page) ?? []
  assert.deepEqual(parse(shown), parse(readFileSync(SETTINGS, 'utf8')))
})

test('Prometheus scrapes with the key of the page, reads all metrics, and has the rules in force', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'scrape-'))
  const gateway = await startGateway()
  const key = `tp_pat_${'0f'.repeat(32)}`
  writeFileSync(join(folder, 'tappass.key'), key)
  const [, insert = ''] = /^(INSERT INTO api_keys[\s\S]+?;)$/m.exec(page) ?? []
  const hash = createHash('sha256').update(key).digest('hex')
  await gateway.database.query(insert.replace(/;$/, '').replace(`:'hash'`, '$1'), [hash])
  await gateway.post('/chat/completions', chat('hello'), { traceparent: `00-${'4b'.repeat(16)}-00f067aa0ba902b7-01` })

  copyFileSync(ALERT_FILE, join(folder, 'alerts.yaml'))
  const settings = parse(readFileSync(SETTINGS, 'utf8')) as Settings
  const [scrape] = settings.scrape_configs
  Object.assign(scrape, {
    scheme: 'http',
    scrape_interval: '1s',
    static_configs: [{ targets: [new URL(gateway.url).host] }],
  })
  writeFileSync(join(folder, 'prometheus.yaml'), stringify(settings))
  const checked = spawnSync('promtool', ['check', 'config', join(folder, 'prometheus.yaml')], { encoding: 'utf8' })
  assert.equal(checked.status, 0, checked.stdout + checked.stderr)

  const port = await freePort()
  const child = spawn(
    'prometheus',
    [
      ...['--config.file', join(folder, 'prometheus.yaml'), '--storage.tsdb.path', join(folder, 'data')],
      ...['--web.listen-address', `127.0.0.1:${port}`, '--log.level', 'error'],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = new Promise((resolve) => child.once('exit', resolve))
  context.after(async () => {
    child.kill()
    await ended
    await gateway.close()
    rmSync(folder, { recursive: true })
  })
  const ask = async <Answer>(path: string): Promise<Answer | undefined> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => undefined)
    return response?.ok ? ((await response.json()) as { data: Answer }).data : undefined
  }
  const figureOf = async (query: string): Promise<string | undefined> => {
    const found = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent(query)}`)
    return found?.result[0]?.value[1]
  }
  while (child.exitCode === null && (await figureOf('up')) === undefined) await sleep(200)
  assert.equal(await figureOf('up{job="tappass"}'), '1')
  assert.equal(await figureOf('tappass_http_requests_total{path="/chat/completions",status="200",gateway="1"}'), '1')
  assert.equal(await figureOf('tappass_http_request_duration_seconds_count{path="/chat/completions"}'), '1')
  const rules = await ask<{ groups: { rules: { name: string; health: string }[] }[] }>('rules')
  const named = rules?.groups.flatMap((group) => group.rules.map(({ name }) => name)) ?? []
  assert.deepEqual(
    named.toSorted(),
    readAlerts()
      .map(({ alert }) => alert)
      .toSorted(),
  )
})
