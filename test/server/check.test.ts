/** The check as a process, on a folder that stands for a host: what makes each part of it fail, and who is told. Needs: openssl. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { issueLicense } from '../../contract/license.ts'

type Found = Readonly<{ check: string; subject: string; level: string; state: string }>

const authority = generateKeyPairSync('ed25519')

/** A folder with what a host has. */
const host = (context: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-check-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['into', 'credentials', 'svid', 'store']) mkdirSync(join(folder, name))
  return folder
}

const check = async (folder: string, ...words: readonly string[]) => {
  const at = (name: string) => join(folder, name)
  const places = [
    '--into',
    at('into'),
    '--credentials',
    at('credentials'),
    '--svid',
    at('svid'),
    '--store',
    at('store'),
  ]
  const days = ['--secret-days', '365', '--license-days', '30']
  const child = spawn(process.execPath, [
    join(import.meta.dirname, '../../server/check.ts'),
    ...places,
    ...days,
    ...words,
  ])
  const out: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => out.push(piece))
  const [code] = (await once(child, 'close')) as [number]
  const record = JSON.parse(readFileSync(at('into/last.json'), 'utf8')) as { findings: readonly Found[] }
  return { code, journal: Buffer.concat(out).toString(), findings: record.findings }
}

const certificate = (folder: string, days: string) => {
  const [key, file] = [join(folder, 'tls.key'), join(folder, 'tls.pem')]
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=gw']
  execFileSync('openssl', [...words, '-keyout', key, '-out', file, '-days', days], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(file) }
}

const give = (folder: string, id: string, text: string) => writeFileSync(join(folder, 'credentials', id), text)

const license = (folder: string, expires: string, signer = authority.privateKey) => {
  give(folder, 'tappass-license', issueLicense({ org: 'x', tier: 'y', expires }, signer))
  give(folder, 'tappass-license-authority', authority.publicKey.export({ type: 'spki', format: 'pem' }).toString())
}

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

type Row = Readonly<{
  name: string
  lay: (folder: string) => void
  words?: readonly string[]
  found: readonly string[]
}>

const rows: readonly Row[] = [
  { name: 'nothing', lay: () => {}, found: [] },
  { name: 'no certificate', lay: () => {}, words: ['--certificate', 'gw:1'], found: ['failed certificate gw'] },
  { name: 'a license', lay: (at) => license(at, inDays(300)), found: ['ok license tappass-license'] },
  {
    name: 'a license of which nine days are left',
    lay: (at) => license(at, inDays(9)),
    found: ['soon license tappass-license'],
  },
  { name: 'an expired license', lay: (at) => license(at, '2001-01-01'), found: ['failed license tappass-license'] },
  {
    name: 'a license of somebody else',
    lay: (at) => license(at, inDays(300), generateKeyPairSync('ed25519').privateKey),
    found: ['failed license tappass-license'],
  },
  { name: 'the line that stands for no license', lay: (at) => give(at, 'tappass-license', '\n'), found: [] },
  {
    name: 'secrets, one of them two years old, and what has no age',
    lay: (at) => {
      for (const id of ['tappass-jwt-secret', 'postgres-password', 'tappass-vault-key-earlier', 'of-somebody-else']) {
        writeFileSync(join(at, 'store', id), 'x')
        if (id !== 'postgres-password') utimesSync(join(at, 'store', id), 1, Date.now() / 1000 - 730 * 86_400)
      }
    },
    found: ['ok secret postgres-password', 'soon secret tappass-jwt-secret'],
  },
  {
    name: 'an SVID, and what is beside it',
    lay: (at) => {
      writeFileSync(join(at, 'svid/svid.pem'), certificate(at, '30').cert)
      for (const name of ['svid_key.pem', 'svid_bundle.pem', 'bundle.pem']) writeFileSync(join(at, 'svid', name), 'x')
    },
    found: ['ok svid svid.pem'],
  },
  {
    name: 'a folder of SVIDs that cannot be read',
    lay: (at) => {
      rmSync(join(at, 'svid'), { recursive: true })
      writeFileSync(join(at, 'svid'), '')
    },
    found: ['failed svid FOLDER/svid'],
  },
  {
    name: 'an SVID that was cut',
    lay: (at) => writeFileSync(join(at, 'svid/svid.pem'), '-----BEGIN'),
    found: ['failed svid svid.pem'],
  },
]
for (const { name, lay, words = [], found } of rows) {
  test(`check: ${name}`, async (context) => {
    const folder = host(context)
    lay(folder)
    const { code, findings, journal } = await check(folder, ...words)
    assert.equal(code, 0, journal)
    const levels = findings.map(
      ({ check: kind, subject, level }) => `${level} ${kind} ${subject.replace(folder, 'FOLDER')}`,
    )
    assert.deepEqual(levels.toSorted(), found.toSorted())
    for (const { check: kind, level } of findings)
      assert.match(journal, new RegExp(`^<${{ ok: 6, soon: 4, failed: 3 }[level]}>${kind} `, 'm'))
  })
}

test('check: the certificate that is served, whoever signed it; files that all may read, metrics among them', async (context) => {
  const folder = host(context)
  const server = createTlsServer(certificate(folder, '30')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { findings } = await check(
    folder,
    '--certificate',
    `gw:${port}`,
    '--disk',
    '/',
    '--disk',
    folder,
    '--disk',
    '/none',
  )
  const [served, ...disks] = findings
  assert.deepEqual([served?.level, served?.state], ['ok', '29 days left'])
  assert.ok(disks.length >= 1 && disks.every(({ check: kind, state }) => kind === 'disk' && / MB free/.test(state)))
  assert.match(
    readFileSync(join(folder, 'into/tappass.prom'), 'utf8'),
    /^tappass_check_well\{check="certificate",subject="gw"\} 1$/m,
  )
  for (const name of ['last.json', 'tappass.prom'])
    assert.equal(statSync(join(folder, 'into', name)).mode & 0o777, 0o644)
})

const listener = async (context: TestContext, status: number) => {
  const bodies: string[] = []
  const server = createHttpServer(async (ask, response) => {
    let body = ''
    for await (const piece of ask) body += piece
    bodies.push(body)
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook-secret` }
}

const webhooks = [
  { status: 200, level: 'ok', state: /^told$/, calls: 1 },
  { status: 500, level: 'failed', state: /^it answered 500$/, calls: 1 },
  { status: 302, level: 'failed', state: /^not reached/, calls: 1 },
] as const
for (const { status, level, state, calls } of webhooks) {
  test(`check: a webhook that answers ${status} is told what is wrong, once, and its address is in no output`, async (context) => {
    const folder = host(context)
    const { url, bodies } = await listener(context, status)
    give(folder, 'tappass-alert-url', `${url}\n`)
    license(folder, '2001-01-01')
    const { findings, journal } = await check(folder)
    const told = findings.find((finding) => finding.check === 'webhook')
    assert.equal(told?.level, level)
    assert.match(told?.state ?? '', state)
    assert.equal(bodies.length, calls)
    assert.match(bodies[0] ?? '', /"text":"TapPass on .*: license tappass-license: expired on 2001-01-01"/)
    assert.doesNotMatch(`${journal}${JSON.stringify(findings)}${bodies.join()}`, /hook-secret|eyJ/)
  })
}

test('check: a webhook hears nothing while all is well; a wrong or dead one is told, without its address', async (context) => {
  const folder = host(context)
  const { url, bodies } = await listener(context, 200)
  give(folder, 'tappass-alert-url', url)
  license(folder, inDays(300))
  assert.equal(
    (await check(folder)).findings.some((finding) => finding.check === 'webhook'),
    false,
  )
  assert.deepEqual(bodies, [])
  license(folder, '2001-01-01')
  for (const [address, state] of [
    ['http://example.com/hook-secret', /^its address is not an https address/],
    ['http://127.0.0.1:1/hook-secret', /^not reached \(/],
  ] as const) {
    give(folder, 'tappass-alert-url', address)
    const { findings, journal } = await check(folder)
    assert.match(findings.find((finding) => finding.check === 'webhook')?.state ?? '', state)
    assert.doesNotMatch(journal, /hook-secret/)
  }
})
