/** What a tunnel or a certificate of one's own needs: rows of right and wrong files. Needs: openssl. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificateProblem, ingressSecretProblem } from '../../../scripts/secrets/ingress-secret.ts'
import { scratch } from '../known-host.ts'

const id = '6ff42ae2-765d-4adf-8112-31c55c1551ef'
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })

const rows = [
  ['tunnel-token', base64({ a: 'account', t: id, s: 'x' }), undefined],
  ['tunnel-token', base64({ a: 'account', t: id }), /not the token/],
  ['tunnel-token', base64({ a: 'account', t: 'name', s: 'x' }), /not the token/],
  ['tunnel-token', base64([1]), /not the token/],
  ['tunnel-token', `cloudflared service install ${base64({ a: 'account', t: id, s: 'x' })}`, /not the token/],
  ['tunnel-credentials', JSON.stringify({ AccountTag: 'a', TunnelID: id, TunnelSecret: 'x' }), undefined],
  ['tunnel-credentials', JSON.stringify({ AccountTag: 'a', TunnelID: id }), /not the credentials file/],
  ['tunnel-credentials', base64({ a: 'account', t: id, s: 'x' }), /not the credentials file/],
  ['tls-key', String(key), undefined],
  ['tls-key', 'a key', /not a private key/],
  ['tls-certificate', String(key), /not a certificate/],
  ['openai-api-key', 'whatever', undefined],
] as const

for (const [index, [secret, text, problem]] of rows.entries()) {
  test(`ingress secret: ${secret}, row ${index}`, () => {
    const found = ingressSecretProblem(secret, text)
    if (problem === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', problem)
    assert.equal(found?.includes(text) ?? false, false)
  })
}

test('certificate: it fits its key and is valid, or the reason is said', (context) => {
  const folder = scratch(context)
  const path = (name: string) => join(folder, name)
  writeFileSync(path('key.pem'), key)
  const words = ['req', '-x509', '-new', '-key', path('key.pem'), '-subj', '/CN=gw.example.com', '-days', '30']
  execFileSync('openssl', [...words, '-out', path('certificate.pem')])
  const certificate = readFileSync(path('certificate.pem'), 'utf8')
  assert.equal(ingressSecretProblem('tls-certificate', certificate), undefined)
  const other = String(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  )
  const days = (count: number) => Date.now() + count * 86_400_000
  for (const [given, at, problem] of [
    [{}, days(0), undefined],
    [{ certificate, key: String(key) }, days(1), undefined],
    [{ certificate }, days(1), /come together/],
    [{ key: String(key) }, days(1), /come together/],
    [{ certificate, key: other }, days(1), /does not fit the key/],
    [{ certificate, key: String(key) }, days(31), /expired on/],
    [{ certificate, key: String(key) }, days(-2), /valid from/],
    // A chain: the own one comes first.
    [{ certificate: `${certificate}${certificate}`, key: String(key) }, days(1), undefined],
  ] as const) {
    const found = certificateProblem(given, at)
    if (problem === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', problem)
  }
})
