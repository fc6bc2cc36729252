/**
 * The chart by the field's own tools: Helm renders it to the same objects as `render kubernetes`, has nothing to say about it, and refuses what ours refuses;
 * kubeconform holds the objects against the schemas of Kubernetes; promtool reads the rules. Needs: kubernetes, prometheus.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { stringify } from 'yaml'
import { ensureHelm, ensureKubeconform, ensureKubernetesSchemas, SCHEMA_VERSIONS } from '../lab/kubernetes.ts'
import { rowsHere } from '../rounds.ts'
import { BAD_VALUES, everyValues, type Given, GOOD_VALUES } from './chart-values.ts'
import { type Manifest, ROOT, readManifests, renderManifests } from './manifest.ts'

const CHART = join(ROOT, 'charts/tappass')

let folder: string
let helm: string
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chart-'))
  helm = await ensureHelm()
})
after(() => rmSync(folder, { recursive: true }))

/** What kubeconform has against objects. */
type Judged = readonly Readonly<{ filename: string; kind: string; name: string; status: string }>[]

type Ended = Readonly<{ status: number | null; stdout: string; stderr: string }>

function run(program: string, ...words: readonly string[]): Ended {
  // No settings of whoever runs the test.
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder }
  return spawnSync(program, words, { encoding: 'utf8', env, maxBuffer: 1 << 26 })
}

/** In JSON, which leaves nothing of YAML open. */
function valuesFile(given: Given): string {
  const path = join(folder, 'values.json')
  writeFileSync(path, JSON.stringify(given))
  return path
}

function helmTemplate(given: Given): Ended {
  return run(helm, 'template', 'tappass', CHART, '--namespace', 'ai', '--values', valuesFile(given))
}

const nameOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`

function byName(manifests: readonly Manifest[]): Readonly<Record<string, Manifest>> {
  const named = Object.fromEntries(manifests.map((manifest) => [nameOf(manifest), manifest]))
  assert.equal(Object.keys(named).length, manifests.length, 'two objects have one name')
  return named
}

test('chart: Helm and "render kubernetes" give the same objects', () => {
  for (const [name, given] of rowsHere(everyValues())) {
    const { status, stdout, stderr } = helmTemplate(given)
    assert.equal(status, 0, `${name}: ${stderr}`)
    assert.deepEqual(byName(renderManifests(given)), byName(readManifests(stdout)), name)
  }
})

test('chart: Helm lints it strictly without a word but for an icon', () => {
  for (const [name, given] of rowsHere(Object.entries(GOOD_VALUES))) {
    const { status, stdout, stderr } = run(helm, 'lint', '--strict', CHART, '--values', valuesFile(given))
    assert.equal(status, 0, `${name}: ${stdout}${stderr}`)
    assert.deepEqual(stdout.match(/^\[.*$/gm), ['[INFO] Chart.yaml: icon is recommended'], name)
  }
})

test('chart: Helm refuses what ours refuses, at the same place', () => {
  for (const [given, place] of rowsHere(BAD_VALUES)) {
    const { status, stderr } = helmTemplate(given)
    assert.equal(status, 1, JSON.stringify(given))
    assert.match(stderr, new RegExp(`at '${place === '' ? '' : `/${place}`}'`), JSON.stringify(given))
  }
})

test('chart: a package of it holds the rules, not a link to them', () => {
  const { status, stderr } = run(helm, 'package', CHART, '--destination', folder)
  assert.equal(status, 0, stderr)
  const archive = join(folder, 'tappass-0.12.0.tgz')
  assert.match(run('tar', '-tvzf', archive, 'tappass/alerts.yaml').stdout, /^-/)
  const { stdout } = run(helm, 'template', 'tappass', archive, '--namespace', 'ai')
  assert.deepEqual(byName(readManifests(stdout)), byName(renderManifests({})))
})

test('kubeconform: every object fits the schemas of Kubernetes, and one with a member too much does not', async () => {
  const [kubeconform, schemas] = [await ensureKubeconform(), await ensureKubernetesSchemas()]
  const location = join(schemas, '{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json')
  const judge = (version: string, ...files: readonly string[]): Judged => {
    const words = ['-strict', '-kubernetes-version', version, '-schema-location', location, '-output', 'json', ...files]
    const { stdout, stderr } = run(kubeconform, ...words)
    assert.equal(stderr, '')
    return (JSON.parse(stdout) as { resources: Judged }).resources
  }
  const write = (name: string, manifests: readonly Manifest[]): string => {
    const path = join(folder, `${name}.yaml`)
    writeFileSync(path, manifests.map((manifest) => `---\n${JSON.stringify(manifest)}\n`).join(''))
    return path
  }
  // Kinds of the Prometheus operator are not of Kubernetes. One object stands for all that are the same.
  const objects = everyValues().flatMap(([, given]) => renderManifests(given))
  const own = objects.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.'))
  const file = write('objects', [...new Map(own.map((each) => [JSON.stringify(each), each])).values()])
  const spoilt = renderManifests({}).map((manifest) => ({ ...manifest, spec: { ...manifest.spec, notThere: 1 } }))
  const spoiltFile = write('spoilt', spoilt)
  for (const version of rowsHere(SCHEMA_VERSIONS)) {
    const refused = judge(version, file, spoiltFile)
    assert.deepEqual(
      refused.filter(({ filename }) => filename === file),
      [],
      version,
    )
    assert.deepEqual(
      refused.map(({ kind, name, status }) => `${kind}/${name} ${status}`).toSorted(),
      spoilt.map((manifest) => `${nameOf(manifest)} statusInvalid`).toSorted(),
      version,
    )
  }
})

test('promtool: the rules of the chart are rules', () => {
  const [rules] = renderManifests(GOOD_VALUES['monitoring'] ?? {}).filter(({ kind }) => kind === 'PrometheusRule')
  const path = join(folder, 'rules.yaml')
  writeFileSync(path, stringify(rules?.spec))
  const { status, stdout, stderr } = run('promtool', 'check', 'rules', '--lint=all', '--lint-fatal', path)
  assert.equal(status, 0, stdout + stderr)
})
