/** What a run is given that goes on as a unit of its host, what it tells, and which part of a recipe has to be there before. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { LocalFile } from '../../../scripts/artifacts/artifact.ts'
import { filesOfSpec, inputsText, parseInputs, withInputs } from '../../../scripts/artifacts/sent-file.ts'
import { changeRecord, settingRows } from '../../../scripts/converge/plan-record.ts'
import { changeCommand } from '../../../scripts/core/command.ts'
import type { Fact, GetFact } from '../../../scripts/core/host.ts'
import type { Change, Resource } from '../../../scripts/core/resource.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { prepareCommand, sendFileCommand } from '../../../scripts/job/job-command.ts'
import { jobLine, parseJobLine } from '../../../scripts/job/job-event.ts'
import { type Job, jobText, parseJob } from '../../../scripts/job/job-file.ts'
import { hasToolkit, toolkitOf } from '../../../scripts/job/toolkit-part.ts'
import { recipe } from '../../../scripts/recipe.ts'
import { archive } from '../../../scripts/resources/archive.ts'
import { image as imageResource } from '../../../scripts/resources/image.ts'
import { program as programResource } from '../../../scripts/resources/program.ts'
import type { HostSpec } from '../../../scripts/spec/host-spec.ts'
import { resourcesOfRoles } from '../../../scripts/spec/role-selection.ts'
import { settingsText } from '../../../scripts/spec/settings-text.ts'
import { hereGuardedIn, scratch, trixie } from '../known-host.ts'
import { specOf, text } from '../roles/blank-host.ts'

const CHANGE: Change = { action: 'do', reason: 'so', commands: [changeCommand('true')] }

const job: Job = {
  ...{ verb: 'bootstrap', target: 'root@a', user: 'ada', controller: 'desk', retryCommand: 'tappass bootstrap' },
  ...{ token: '0'.repeat(32), release: '1', pages: null, only: [], settings: '{}\n', inputs: '{}', files: {} },
  ...{
    pagesFolder: null,
    secrets: { 'openai-api-key': '/run/x' },
    rotation: null,
    releaseChange: null,
    data: null,
    outside: null,
    operator: null,
    restored: null,
    bundle: null,
    contract: null,
    removal: null,
  },
  applied: [{ resource: 'file:/a', action: 'write it' }],
}

test('job: read as it was written; a key that this release does not know is a defect', () => {
  assert.deepEqual(parseJob(jobText(job)), job)
  assert.throws(() => parseJob(JSON.stringify({ ...job, more: 1 })), /more/)
})

for (const [name, line] of [
  ['an event', { event: { event: 'settings', source: '/etc/x' }, at: '2026-11-27T10:00:00.000Z' }],
  ['an end', { end: { result: { outcome: 'up-to-date', applied: 3, remaining: 0 } } }],
  ['a failure', { end: { failure: { what: 'it failed' }, code: 6 } }],
] as const)
  test(`job: ${name} is read as it was written, and nothing of a line that is cut off anywhere`, () => {
    const written = jobLine(line)
    assert.deepEqual(parseJobLine(written), line)
    for (let length = 0; length < written.length - 1; length++)
      assert.equal(parseJobLine(written.slice(0, length)), undefined)
  })

for (const other of ['', '[]', 'null', '{}', '"event"', '{"level":30}'])
  test(`job: ${other || 'an empty line'} is no line of a run`, () => assert.equal(parseJobLine(other), undefined))

const sha256 = (digit: string) => digit.repeat(64)

/** The specification as the unit reads it: from the texts, with the files where they were sent to. */
const again = (spec: HostSpec): HostSpec => {
  const moved = Object.fromEntries(Object.keys(filesOfSpec(spec)).map((key) => [key, { file: `/sent/${key}` }]))
  return withInputs(specOf(parse(settingsText(spec))), parseInputs(inputsText(spec)) ?? assert.fail(), moved)
}

for (const [name, written] of [
  ['defaults', {}],
  ['identities, both ingresses', { identity: { trustDomain: 'example.org' }, ingress: { kind: 'both' } }],
  ['external storage', { storage: { database: 'external', redis: 'external' } }],
  ['a domain, a model server', { domain: 'gw.example.com', gateway: { upstream: 'https://m.example.com/v1' } }],
  ['a proxy, mirrors', { proxy: { https: 'http://p:3128' }, downloads: { node: 'https://mirror.example.com' } }],
  ['no site, no firewall', { site: 'none', firewall: 'none' }],
  ['drift, housekeeping', { drift: { repair: true }, housekeeping: { secretDaysMax: 90 } }],
] as const)
  test(`job: no setting is lost on the way: ${name}`, () => {
    const spec = specOf(written)
    assert.deepEqual(settingRows(again(spec)), settingRows(spec))
  })

test('job: files of the controller are found where they were sent to, by their digests', () => {
  const spec: HostSpec = {
    ...specOf(),
    node: { archive: { file: '/home/ada/node', sha256: sha256('1') } },
    images: {
      postgres: { archive: { file: '/home/ada/image', imageId: `sha256:${sha256('a')}`, layers: [] } },
      redis: {},
    },
  }
  const { node, images } = again(spec)
  assert.equal(node.archive?.file, `/sent/${sha256('1')}`)
  assert.equal(images.postgres.archive?.file, `/sent/sha256:${sha256('a')}`)
})

test('job: the toolkit on a host is the foundation, Node and the release; a part of the roles does not bring it', () => {
  const roles = recipe(specOf(), text)
  const all = roles.flatMap(({ resources }) => resources)
  const part = toolkitOf(all) ?? assert.fail()
  assert.deepEqual(
    [...new Set(part.filter(({ role }) => role !== 'foundation').map(({ id }) => id.replace(/\d+\.\d+\.\d+/, 'V')))],
    [
      'directory:/opt/tappass/node',
      'directory:/opt/tappass/releases',
      'archive:/opt/tappass/node/V',
      'release:/opt/tappass',
    ],
  )
  for (const { role, resources } of roles) assert.equal(toolkitOf(resources), undefined, role)
})

const nothingThere: GetFact = async (fact) =>
  (fact as Fact<unknown>) === hostTraitsFact ? (trixie as never) : fact.parse({ code: 1, stdout: '', stderr: '' })

test('job: a change is the same for a plan on file wherever its file is by now', async () => {
  const digest = sha256('1')
  const files = [
    { file: '/home/ada/it.tgz', sha256: digest },
    { file: '/sent/it', name: '/home/ada/it.tgz', sha256: digest },
  ]
  const recordsOf = async (source: LocalFile) => {
    const image = { ...source, imageId: `sha256:${digest}`, layers: [] }
    const program = { folder: '/p', name: 'n', version: '1', says: 'n 1', link: '/l', setting: 's', remedy: 'r' }
    const resources = [
      archive({ source, path: '/a', executable: 'b' }),
      imageResource({ reference: 'a:1', setting: 's', archive: image }),
      programResource({ ...program, source }),
    ]
    return (await Promise.all(resources.map(({ plan }) => plan(nothingThere)))).flat().map(changeRecord)
  }
  const [before, after] = await Promise.all(files.map(recordsOf))
  assert.equal(before?.length, 4)
  assert.deepEqual(after, before)
})

test('job: of a bundle each part is found by its own digest; packages, too', () => {
  const part = (start: number) => ({ file: '/bundle.tar', part: { start, end: start + 9 } })
  const packages = { docker: { ...part(20), sha256: sha256('2') } }
  const spec: HostSpec = {
    ...specOf(),
    node: { archive: { ...part(10), sha256: sha256('1') } },
    bundle: { platform: 'debian-13-amd64', packages, fileOf: () => undefined, imageOf: () => undefined },
  }
  assert.deepEqual(filesOfSpec(spec), { [sha256('1')]: part(10), [sha256('2')]: part(20) })
  assert.equal(settingRows(spec)['bundle.packages.docker'], sha256('2'))
})

test('job: what an earlier run has left goes, but for what has arrived of files that are sent again', async (context) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  const left = ['1', '2'].flatMap((digit) => ['', '.part', '.part.pid'].map((ending) => `${sha256(digit)}${ending}`))
  mkdirSync(join(folder, 'sent', 'pages'), { recursive: true })
  for (const name of left) writeFileSync(join(folder, 'sent', name), '')
  const resumable = { sha256: sha256('2'), bytes: () => 0, openAt: async function* () {} }
  const sending = sendFileCommand('/x', { open: () => resumable.openAt(), resumable })
  assert.equal((await run(await prepareCommand('{}', [sending]))).code, 0)
  assert.deepEqual(readdirSync(join(folder, 'sent')).toSorted(), left.slice(3).toSorted())
  assert.equal((await run(await prepareCommand('{}', []))).code, 0)
  assert.deepEqual(readdirSync(join(folder, 'sent')), [])
  assert.deepEqual(readdirSync(join(folder, 'run/run')).toSorted(), ['events.jsonl', 'job.json', 'secrets', 'watchers'])
})

test('job: a part of the roles goes on on a host that has the programs, whatever else is to be changed there', async () => {
  const programs = recipe(specOf(), text).flatMap(({ resources }) => resources)
  const asIf = (isThere: (id: string) => boolean) =>
    programs.map((each): Resource => ({ ...each, plan: async () => (isThere(each.id) ? [] : [CHANGE]) }))
  const isProgram = (id: string) =>
    /^(?:directory|archive):.opt.tappass.(?:node|releases)|^release:.opt.tappass$/.test(id)
  assert.ok(await hasToolkit(nothingThere, asIf(isProgram)))
  assert.ok(
    !(await hasToolkit(
      nothingThere,
      asIf((id) => isProgram(id) && !id.startsWith('release:')),
    )),
  )
})

test('job: a part of the roles is the same with secrets of other roles, which its host has of its own', () => {
  const roles = recipe(specOf(), text)
  const ids = (all: readonly Resource[]) => all.map(({ id }) => id)
  const expected = roles.flatMap(({ role, resources }) => (role === 'gateway' ? resources : []))
  assert.deepEqual(ids(resourcesOfRoles(roles, ['gateway'])), ids(expected))
  assert.deepEqual(ids(resourcesOfRoles(roles, [])), ids(roles.flatMap(({ resources }) => resources)))
})
