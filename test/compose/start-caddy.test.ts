/** `templates/compose/start-caddy.sh`: what Caddy is started with for the settings of an environment file, and which it refuses. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

const SCRIPT = join(import.meta.dirname, '../../templates/compose/start-caddy.sh')
const NONE = {
  TAPPASS_DOMAIN: '',
  TAPPASS_NAMES: '',
  TAPPASS_TLS: '',
  TAPPASS_ACME_DIRECTORY: '',
  PUBLIC_HTTPS_PORT: '443',
}

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tappass-start-caddy-'))
  writeFileSync(join(folder, 'caddy'), '#!/bin/sh\nenv\n', { mode: 0o755 })
})
after(() => rmSync(folder, { recursive: true, force: true }))

const start = (settings: Readonly<Record<string, string>>) =>
  spawnSync('sh', [SCRIPT], {
    env: { PATH: `${folder}:${process.env['PATH']}`, ...NONE, ...settings },
    encoding: 'utf8',
  })

const DIRECTORY = 'https://acme.example.com/directory'
const STARTED = [
  {
    name: 'nothing set',
    settings: {},
    has: [
      'SITE=https://localhost, https://127.0.0.1, https://',
      'OTHER_NAMES=served',
      'NAME=localhost',
      'TLS=internal',
    ],
  },
  {
    name: 'names and addresses',
    settings: { TAPPASS_NAMES: 'gw,10.0.0.7 [fd00::7]' },
    has: [
      'SITE=https://localhost, https://127.0.0.1, https://gw, https://10.0.0.7, https://[fd00::7], https://',
      'NAME=gw',
      'TLS=internal',
    ],
  },
  {
    name: 'a domain',
    settings: { TAPPASS_DOMAIN: 'gw.example.com' },
    has: ['SITE=https://gw.example.com', 'OTHER_NAMES=refused', 'NAME=gw.example.com', 'TLS=public'],
  },
  {
    name: 'a domain and Caddy’s own authority',
    settings: { TAPPASS_DOMAIN: 'gw.internal', TAPPASS_TLS: 'internal' },
    has: ['SITE=https://gw.internal', 'TLS=internal'],
  },
  {
    name: 'another authority, on another port',
    settings: { TAPPASS_DOMAIN: 'gw.example.com', TAPPASS_ACME_DIRECTORY: DIRECTORY, PUBLIC_HTTPS_PORT: '8443' },
    has: ['TLS=acme', `ACME_DIRECTORY=${DIRECTORY}`, 'REDIRECT_PORT=:8443'],
  },
] as const

for (const { name, settings, has } of STARTED)
  test(`Caddy of Compose: ${name}`, () => {
    const { status, stdout, stderr } = start(settings)
    assert.equal(status, 0, stderr)
    const lines = stdout.split('\n')
    for (const each of [...has, 'UPSTREAM=gateway:9620', 'PROTOCOLS=h1 h2', 'HTTPS_PORT=8443'])
      assert.ok(lines.includes(`TAPPASS_${each}`), `${each}\n${stdout}`)
  })

const REFUSED = [
  ['public without a domain', { TAPPASS_TLS: 'public' }, /needs a TAPPASS_DOMAIN/],
  ['an unknown kind', { TAPPASS_TLS: 'own' }, /neither internal nor public/],
  ['a directory that is not asked', { TAPPASS_ACME_DIRECTORY: DIRECTORY }, /needs TAPPASS_TLS=public/],
  ['names beside a domain', { TAPPASS_DOMAIN: 'gw.example.com', TAPPASS_NAMES: 'gw' }, /leave one of them out/],
  ['a name that would be Caddy’s syntax', { TAPPASS_DOMAIN: 'gw {' }, /a character that no name has/],
] as const

for (const [name, settings, problem] of REFUSED)
  test(`Caddy of Compose refuses ${name}`, () => {
    const { status, stdout, stderr } = start(settings)
    assert.deepEqual([status, stdout], [5, ''])
    assert.match(stderr, problem)
    assert.match(stderr, /docker compose --env-file \.env\.prod up --detach --wait/)
  })
