/** What is seen from outside, of a real server with TLS on loopback: by its address, by its name, and where nothing is. Needs: openssl. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { lookFromOutside } from '../../../scripts/diagnosis/outside.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-outside-'))
const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string]
execFileSync(
  'openssl',
  [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    '30',
    '-subj',
    '/CN=localhost',
  ],
  { stdio: 'ignore' },
)
const options = { key: readFileSync(key), cert: readFileSync(cert) }
rmSync(folder, { recursive: true })

describe('from outside', () => {
  for (const name of ['127.0.0.1', '::1', 'localhost']) {
    test(`a server at ${name}: port, chain, days and health`, async () => {
      const server = createServer(options, (_, response) => response.end('{"status":"healthy"}'))
      await new Promise<void>((resolve) => server.listen(0, name, resolve))
      const { port } = server.address() as AddressInfo
      const spec = parseHostSpec({ ingress: { http: 1, https: port } }, 'the test')
      const address = { user: 'root', name, port: 22 }
      const seen = await lookFromOutside(spec, { address }, Date.now())
      server.close()
      assert.equal(seen.skipped, '')
      assert.equal(seen.ports.get(port), '')
      assert.match(seen.ports.get(1) ?? '', /ECONNREFUSED|refused/)
      assert.equal(seen.chain, 'DEPTH_ZERO_SELF_SIGNED_CERT')
      assert.ok(seen.daysLeft === 29 || seen.daysLeft === 30, `${seen.daysLeft}`)
      assert.equal(seen.health, 'healthy')
    })
  }
  test('nothing listens: said, and nothing is thrown', async () => {
    const spec = parseHostSpec({ ingress: { http: 1, https: 2 } }, 'the test')
    const seen = await lookFromOutside(spec, { address: { user: 'root', name: '127.0.0.1', port: 22 } }, 0)
    assert.match(seen.health, /ECONNREFUSED|refused/)
    assert.match(seen.chain, /ECONNREFUSED|refused/)
  })
  test('on this machine itself, and behind a jump host, it is skipped with the reason', async () => {
    const spec = parseHostSpec({}, 'the test')
    assert.match((await lookFromOutside(spec, { address: undefined }, 0)).skipped, /--host/)
  })
})
