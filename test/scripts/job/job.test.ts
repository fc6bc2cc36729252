/** What a run is given that goes on as a unit of its host, what it tells, and which part of a recipe has to be there before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { filesOfSpec, inputsText, parseInputs, withInputs } from '../../../scripts/artifacts/sent-file.ts'
import { settingRows } from '../../../scripts/converge/plan-record.ts'
import { jobLine, parseJobLine } from '../../../scripts/job/job-event.ts'
import { type Job, jobText, parseJob } from '../../../scripts/job/job-file.ts'
import { toolkitOf } from '../../../scripts/job/toolkit-part.ts'
import { recipe } from '../../../scripts/recipe.ts'
import type { HostSpec } from '../../../scripts/spec/host-spec.ts'
import { settingsText } from '../../../scripts/spec/settings-text.ts'
import { specOf, text } from '../roles/blank-host.ts'

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
  const moved = Object.fromEntries(Object.keys(filesOfSpec(spec)).map((key) => [key, `/sent/${key}`]))
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
