/** What an OPA server on a host is made of: its program, the folder of its policy, and those that nobody asks any more. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, chmodSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { HOST_PATH } from '../../../contract/path.ts'
import { measureFile } from '../../../scripts/artifacts/artifact-measurement.ts'
import { bundleProblem, readPolicyFiles } from '../../../scripts/artifacts/policy-bundle.ts'
import type { GetFact } from '../../../scripts/core/host.ts'
import { contentFact } from '../../../scripts/facts/path.ts'
import { policyBundle } from '../../../scripts/resources/policy-bundle.ts'
import { program } from '../../../scripts/resources/program.ts'
import { opaServersFact, surplusOpa } from '../../../scripts/resources/surplus-opa.ts'
import { applyHere, factRow, factsHere, planLines, scratch } from '../known-host.ts'
import { text } from '../roles/blank-host.ts'

const actionsOf = (changes: readonly Readonly<{ action: string; reason: string }>[]) =>
  changes.map(({ action, reason }) => `${action.split(' ')[0]}: ${reason}`)

async function programIn(context: TestContext, says = '1.2.3') {
  const folder = scratch(context)
  const file = join(folder, 'sent')
  writeFileSync(file, `#!/bin/sh\necho "Version: ${says}"\n`)
  const paths = { folder: join(folder, 'p'), name: 'p', link: join(folder, 'p', 'current') }
  const options = { ...paths, version: '1.2.3', says: 'Version: 1.2.3', setting: 'p', remedy: 'give p.program' }
  return { options, installed: join(folder, 'p', '1.2.3', 'p'), source: await measureFile(file) }
}

/** Nothing answers there. */
const NOWHERE = { urls: { 'linux-x64': 'http://127.0.0.1:9/p' }, sha256: undefined, proxy: () => undefined }

test('program: installed, left as it is, repaired, and kept without its file', async (context) => {
  const { options, installed, source } = await programIn(context)
  const wanted = program({ ...options, source })
  assert.deepEqual(actionsOf(await applyHere(wanted)), ['install: it is absent', 'link: it is absent'])
  assert.equal(readlinkSync(options.link), join(options.folder, '1.2.3'))
  assert.deepEqual(await wanted.plan(factsHere()), [])
  assert.deepEqual(await program({ ...options, source: NOWHERE }).plan(factsHere()), [])

  appendFileSync(installed, '# changed\n')
  assert.deepEqual(actionsOf(await wanted.plan(factsHere())), ['install: p was changed after it was installed'])
  await applyHere(wanted)
  chmodSync(installed, 0o777)
  assert.match(actionsOf(await wanted.plan(factsHere())).join(), /^install: /)
  await applyHere(wanted)
  assert.match(
    actionsOf(await program({ ...options, source: { ...source, sha256: '00' } }).plan(factsHere())).join(),
    /another file/,
  )
})

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')

/** A vendor: the program, and the file that says its digest. `asked` are the paths in order. */
async function vendorOf(context: TestContext, content: string, says: string) {
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    response.end(url.endsWith('.sha256') ? says : content)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/p_static`
  const urls = { 'linux-x64': url, 'linux-arm64': url }
  return { asked, url, source: { urls, sha256: undefined, proxy: () => undefined } }
}

/** This machine, with a file of accepted digests. */
const withLock = (digests: Readonly<Record<string, string>>): GetFact => {
  const [getFact, lock] = [factsHere(), JSON.stringify(contentFact(HOST_PATH.versions).query)]
  return async (fact) => (JSON.stringify(fact.query) === lock ? (stringify({ digests }) as never) : await getFact(fact))
}

const PROGRAM = '#!/bin/sh\necho "Version: 1.2.3"\n'

test('program: downloaded, with the digest that its vendor says beside it, which is the one that is accepted from then on', async (context) => {
  const { options, installed } = await programIn(context)
  const { asked, url, source } = await vendorOf(context, PROGRAM, `${sha256(PROGRAM)}  p_static\n`)
  const wanted = program({ ...options, source })
  assert.deepEqual(await wanted.fetches?.(factsHere()), [
    { kind: 'file', setting: 'p', url, sha256Url: `${url}.sha256` },
  ])
  assert.equal(await wanted.accepts?.(factsHere()), undefined)
  const first = `install: it is absent; its digest is accepted as first seen, from ${url}.sha256`
  assert.deepEqual(actionsOf(await applyHere(wanted)), [first, 'link: it is absent'])
  assert.deepEqual(asked, ['/p_static', '/p_static.sha256'])
  assert.equal(readFileSync(installed, 'utf8'), PROGRAM)
  assert.deepEqual(await wanted.plan(factsHere()), [])
  const path = join(options.folder, '1.2.3')
  assert.deepEqual(await wanted.accepts?.(factsHere()), { name: path, digest: `sha256:${sha256(PROGRAM)}` })
  const locked = withLock({ [path]: `sha256:${'0'.repeat(64)}` })
  assert.deepEqual(actionsOf(await wanted.plan(locked)), [
    'install: it is another file; its digest has to be the one that was accepted first',
  ])
  const pinned = program({ ...options, source: { ...source, sha256: sha256(PROGRAM) } })
  await assert.rejects(pinned.plan(locked), /another one than was first accepted/)
  assert.deepEqual(await pinned.fetches?.(factsHere()), [{ kind: 'file', setting: 'p', url, sha256: sha256(PROGRAM) }])
})

const wrongs = [
  ['half a file', PROGRAM.slice(0, 20), sha256(PROGRAM), undefined, `expected is ${sha256(PROGRAM)}`],
  ['a page in place of a digest', PROGRAM, '<html>', undefined, 'which has no digest'],
  ['another program than was pinned', PROGRAM, sha256(PROGRAM), 'a'.repeat(64), `expected is ${'a'.repeat(64)}`],
] as const

for (const [name, content, says, pin, message] of wrongs)
  test(`program: a mirror that answers with ${name}: an error that names the way out, and nothing is installed`, async (context) => {
    const { options } = await programIn(context)
    const { source } = await vendorOf(context, content, says)
    const wanted = program({ ...options, source: { ...source, sha256: pin } })
    await assert.rejects(applyHere(wanted), ({ message: said }: Error) => {
      assert.ok(said.includes(message) && said.includes('another source in host.yaml: give p.program'), said)
      return true
    })
    assert.match(actionsOf(await wanted.plan(factsHere())).join(), /it is absent/)
  })

test('program: one of another version is not installed', async (context) => {
  const { options, source } = await programIn(context, '1.2.2')
  await assert.rejects(applyHere(program({ ...options, source })))
  assert.match(actionsOf(await program({ ...options, source }).plan(factsHere())).join(), /it is absent/)
})

test('policy bundle: made, left as it is, and made anew with another key when anything in it is another', async (context) => {
  const path = join(scratch(context), 'policy')
  const bundlePath = join(path, 'bundle.tar.gz')
  const options = { policy: readPolicyFiles(text), template: text('templates/opa/opa.yaml.hbs'), bundlePath }
  const wanted = policyBundle({ path, options })
  const read = () => ({ bundle: readFileSync(bundlePath), config: readFileSync(join(path, 'opa.yaml'), 'utf8') })
  assert.deepEqual(actionsOf(await applyHere(wanted)), ['sign: it is absent'])
  assert.equal(await bundleProblem(read(), options), undefined)
  assert.deepEqual(await wanted.plan(factsHere()), [])

  const damages: readonly (readonly [damage: () => void, reason: RegExp])[] = [
    [() => appendFileSync(join(path, 'opa.yaml'), '# a\n'), /configuration/],
    [() => writeFileSync(bundlePath, 'x'), /cannot be read/],
    [() => renameSync(bundlePath, join(path, 'other')), /it is absent/],
    [() => chmodSync(bundlePath, 0o666), /writable by others/],
  ]
  for (const [damage, reason] of damages) {
    const { config } = read()
    damage()
    assert.match(actionsOf(await applyHere(wanted)).join(), reason)
    assert.notEqual(read().config, config)
    assert.deepEqual(await wanted.plan(factsHere()), [])
  }
})

const NONE = { servers: [], asked: [], hasFile: false }
const [old, current, key] = ['0123456789ab', 'abcdefabcdef', 'ffffffffffff']
const stop = (each: string): string => `stop and remove tappass-opa@${each}.service, because no gateway asks it`
const FILE = 'remove /etc/systemd/system/tappass-opa@.service, because policy.engine is embedded'

for (const [what, wanted, state, lines] of [
  ['nothing there, nothing wanted', undefined, NONE, []],
  ['the wanted one', key, { servers: [key], asked: [key], hasFile: true }, []],
  [
    'those of earlier policies',
    key,
    { servers: [current, old, key], asked: [key], hasFile: true },
    [stop(old), stop(current)],
  ],
  ['one that the gateways still ask stays', key, { servers: [old, key], asked: [old], hasFile: true }, []],
  ['all of them, with their file', undefined, { servers: [key], asked: [], hasFile: true }, [stop(key), FILE]],
  ['none while it is asked', undefined, { servers: [key], asked: [key], hasFile: true }, []],
] as const) {
  test(`surplus OPA: ${what}`, async () => {
    const rows = [factRow(opaServersFact, state)]
    assert.deepEqual(await planLines(surplusOpa({ key: wanted }), rows), lines)
  })
}

test('surplus OPA: read of what a host prints', () => {
  const stdout = `server ${old}\nserver ${key}\nserver ${key}\nasked ${key}\nserver ../x\nfile\n`
  const read = opaServersFact.parse({ code: 0, stdout, stderr: '' })
  assert.deepEqual(read, { servers: [old, key], asked: [key], hasFile: true })
})
