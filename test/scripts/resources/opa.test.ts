/** What an OPA server on a host is made of: its program, the folder of its policy, and those that nobody asks any more. */
import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { measureFile } from '../../../scripts/artifacts/artifact-measurement.ts'
import { bundleProblem, readPolicyFiles } from '../../../scripts/artifacts/policy-bundle.ts'
import { Failure } from '../../../scripts/core/failure.ts'
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
  const options = { ...paths, version: '1.2.3', says: 'Version: 1.2.3', remedy: 'give p.program' }
  return { options, installed: join(folder, 'p', '1.2.3', 'p'), source: await measureFile(file) }
}

test('program: installed, left as it is, repaired, and kept without its file', async (context) => {
  const { options, installed, source } = await programIn(context)
  const wanted = program({ ...options, source })
  assert.deepEqual(actionsOf(await applyHere(wanted)), ['install: it is absent', 'link: it is absent'])
  assert.equal(readlinkSync(options.link), join(options.folder, '1.2.3'))
  assert.deepEqual(await wanted.plan(factsHere()), [])
  assert.deepEqual(await program({ ...options, source: undefined }).plan(factsHere()), [])

  appendFileSync(installed, '# changed\n')
  assert.deepEqual(actionsOf(await wanted.plan(factsHere())), ['install: p was changed after it was installed'])
  await assert.rejects(
    program({ ...options, source: undefined }).plan(factsHere()),
    (error: Failure) => error instanceof Failure && error.code === 5,
  )
  await applyHere(wanted)
  chmodSync(installed, 0o777)
  assert.match(actionsOf(await wanted.plan(factsHere())).join(), /^install: /)
  await applyHere(wanted)
  assert.match(
    actionsOf(await program({ ...options, source: { ...source, sha256: '00' } }).plan(factsHere())).join(),
    /another file/,
  )
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
