/** The setting `proxy`: what is accepted, which addresses go through it, and what it becomes on a host. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { recipe } from '../../../scripts/recipe.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { proxyFor } from '../../../scripts/spec/proxy.ts'
import { blank, planAll, specOf, systems, text, writtenBy } from '../roles/blank-host.ts'

const [https, http] = ['http://proxy.example:3128', 'http://10.0.0.9:8080']
const proxy = { https, http, except: ['mirror.example', '.corp.example', '10.1.2.3', 'fd00::1'] }

const ways = [
  ['https://nodejs.org/dist/x', https],
  ['http://deb.debian.org/x', http],
  ['https://mirror.example/x', undefined],
  ['https://a.mirror.example/x', undefined],
  ['https://notmirror.example/x', https],
  ['https://node.CORP.example/x', undefined],
  ['https://corp.example/x', undefined],
  ['https://10.1.2.3:8443/x', undefined],
  ['https://110.1.2.3/x', https],
  ['https://[fd00::1]/x', undefined],
  ['http://localhost:9620/', undefined],
  ['http://127.0.0.1/', undefined],
  ['http://[::1]/', undefined],
] as const

for (const [url, way] of ways) {
  test(`proxy: ${url} is reached ${way === undefined ? 'without it' : `through ${way}`}`, () => {
    assert.equal(proxyFor(proxy, url), way)
  })
}

test('proxy: without one nothing goes through it', () => {
  assert.equal(proxyFor({ except: [] }, 'https://nodejs.org'), undefined)
})

const refused = [
  [{ https: 'http://user:word@proxy.example:3128' }, /proxy\.https: must not hold a user or a password/],
  [{ http: 'http://user@proxy.example' }, /proxy\.http: must not hold a user or a password/],
  [{ https: 'https://proxy.example:3128' }, /proxy\.https: must be the address of an HTTP proxy/],
  [{ https: 'socks5://proxy.example' }, /proxy\.https: must be the address of an HTTP proxy/],
  [{ https: 'http://proxy.example:3128/path' }, /proxy\.https: must be an address without a path/],
  [{ https: 'http://a b' }, /proxy\.https/],
  [{ https: 'http://proxy.example"\nExecStart=/bin/x' }, /proxy\.https/],
  [{ except: ['*.example'] }, /proxy\.except\.0: must be a host name/],
  [{ except: ['a"; Acquire::x "y'] }, /proxy\.except\.0: must be a host name/],
  [{ except: ['10.0.0.0/8'] }, /proxy\.except\.0: must be a host name/],
  [{ htps: https }, /proxy\.htps: unknown key; did you mean "https"\?/],
] as const

for (const [written, says] of refused) {
  test(`proxy: ${JSON.stringify(written)} is a usage failure that names it`, () => {
    assert.throws(
      () => parseHostSpec({ proxy: written }, 'x'),
      (error: Failure) => {
        assert.equal(error.code, 64)
        assert.match(`${error.text.why}`, says)
        return true
      },
    )
  })
}

const plannedWith = (written: unknown) =>
  planAll(
    recipe(specOf(written), text).flatMap(({ resources }) => resources),
    blank(systems[0]),
  )

const variables = `HTTPS_PROXY=${https}\nHTTP_PROXY=${http}\nNO_PROXY=localhost,127.0.0.1,::1,${proxy.except.join(',')}`

test('proxy: apt, Docker, downloads, Caddy and the gateway have it', async () => {
  const changes = await plannedWith({ proxy, gateway: { upstream: 'https://models.example/v1' } })
  const texts = writtenBy(changes)
  assert.equal(
    texts.get('/etc/apt/apt.conf.d/80tappass-proxy')?.split('\n').slice(1).join('\n'),
    ['https', 'http']
      .map((scheme) => {
        const lines = proxy.except.map((entry) => `Acquire::${scheme}::Proxy::${entry.replace(/^\./, '')} "DIRECT";\n`)
        return `Acquire::${scheme}::Proxy "${scheme === 'https' ? https : http}";\n${lines.join('')}`
      })
      .join(''),
  )
  const dropIn = texts.get('/etc/systemd/system/docker.service.d/tappass.conf') ?? ''
  for (const line of variables.split('\n')) assert.ok(dropIn.includes(`\nEnvironment="${line}"\n`), line)
  assert.ok(texts.get('/etc/tappass/caddy.env')?.includes(`\n${variables}\n`))
  assert.ok(texts.get('/etc/tappass/gateway.env')?.includes(`\nTAPPASS_UPSTREAM_PROXY=${https}\n`))
  const downloads = changes.flatMap(({ commands }) => commands).filter(({ argv }) => argv[0] === 'curl')
  assert.ok(downloads.length >= 2)
  for (const { argv } of downloads) assert.equal(argv[argv.indexOf('--proxy') + 1], https)
  // Apt's file is there before apt is first asked, and Docker's before it is first started.
  const actions = changes.map(({ action }) => action)
  const at = (start: string) => actions.findIndex((action) => action.startsWith(start))
  assert.ok(at('write /etc/apt/apt.conf.d/80tappass-proxy') < at('install '))
})

const without: readonly (readonly [name: string, written: unknown])[] = [
  ['no proxy', {}],
  [
    'one that is for other hosts',
    { proxy: { https, except: ['models.example'] }, gateway: { upstream: 'https://models.example/v1' } },
  ],
  ['one for http only', { proxy: { http }, gateway: { upstream: 'https://models.example/v1' } }],
]

for (const [name, written] of without) {
  test(`proxy: ${name} leaves the way to the model server as it is`, async () => {
    assert.doesNotMatch(writtenBy(await plannedWith(written)).get('/etc/tappass/gateway.env') ?? '', /PROXY/)
  })
}

test('proxy: without one no file mentions it, and the engine keeps its revision', async () => {
  const texts = writtenBy(await plannedWith({}))
  for (const [path, content] of texts) assert.doesNotMatch(content, /_PROXY=|Acquire::/, path)
  const revisionOf = (content = '') => /TAPPASS_REVISION=(\w+)/.exec(content)?.[1]
  const path = '/etc/systemd/system/docker.service.d/tappass.conf'
  const changed = writtenBy(await plannedWith({ proxy: { https } }))
  assert.notEqual(revisionOf(texts.get(path)), revisionOf(changed.get(path)))
})
