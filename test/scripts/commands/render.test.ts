/** `tappass render`: manifests on standard output and nothing else there, values over values, and what is refused before anything is written. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { type Manifest, readManifests, renderManifests } from '../../kubernetes/manifest.ts'
import { typeCommand } from '../command-line.ts'

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'render-'))
  writeFileSync(join(folder, 'one.yaml'), 'autoscaling: { enabled: false }\nreplicas: 4\n')
  writeFileSync(join(folder, 'two.yaml'), 'replicas: 7\npodAnnotations: { example.com/a: "off" }\n')
  writeFileSync(join(folder, 'empty.yaml'), '# nothing\n')
  writeFileSync(join(folder, 'list.yaml'), '- replicas\n')
  writeFileSync(join(folder, 'broken.yaml'), 'replicas: [\n')
  writeFileSync(join(folder, 'secret.yaml'), 'redis: { url: "redis://:hunter2@redis" }\nreplica: 3\n')
})
after(() => rmSync(folder, { recursive: true }))

async function type(...words: readonly string[]) {
  const typed = typeCommand(['render', ...words], { workingFolder: folder })
  return { code: await typed.code, stdout: typed.stdout(), stderr: typed.stderr() }
}

test('render kubernetes: the manifests of the values, later ones over earlier ones', async () => {
  const { code, stdout, stderr } = await type('kubernetes', '--values', 'one.yaml', '--values', 'two.yaml')
  assert.deepEqual([code, stderr], [0, ''])
  const given = { autoscaling: { enabled: false }, replicas: 7, podAnnotations: { 'example.com/a': 'off' } }
  assert.deepEqual(readManifests(stdout), renderManifests(given, { name: 'tappass', namespace: 'default' }))
})

test('render kubernetes: another name, another namespace, and values that are none', async () => {
  const { code, stdout } = await type('kubernetes', '--name', 'gw', '--namespace', 'ai', '--values', 'empty.yaml')
  assert.equal(code, 0)
  assert.deepEqual(readManifests(stdout), renderManifests({}, { name: 'gw', namespace: 'ai' }))
})

const REFUSED: readonly (readonly [words: readonly string[], code: number, says: RegExp])[] = [
  [['--name', 'Gateway'], 64, /"--name Gateway" is not a name/],
  [['--name', 'a'.repeat(54)], 64, /at most 53/],
  [['--namespace', 'a_b'], 64, /"--namespace a_b" is not a name/],
  [['--values', 'absent.yaml'], 5, /values can’t be read\n {2}where: absent\.yaml\n {2}why: .*ENOENT/],
  [['--values', 'list.yaml'], 5, /where: list\.yaml\n {2}why: {3}it is not a map of values/],
  [['--values', 'broken.yaml'], 5, /where: broken\.yaml/],
  [['--values', 'secret.yaml'], 5, /replica is not a value of the chart; redis\.url [^\n]*Without a password/],
]

for (const [words, code, says] of REFUSED)
  test(`render kubernetes ${words.join(' ').slice(0, 40)} is refused`, async () => {
    const typed = await type('kubernetes', ...words)
    assert.deepEqual([typed.code, typed.stdout], [code, ''])
    assert.match(typed.stderr, says)
    assert.match(typed.stderr, /^ {2}next: /m)
    assert.doesNotMatch(typed.stderr, /hunter2/)
  })

test('render policy: a ConfigMap of this release’s policy that nobody can change, and how values name it', async () => {
  const { code, stdout, stderr } = await type('policy', '--namespace', 'ai')
  assert.equal(code, 0)
  const [map] = readManifests(stdout) as readonly (Manifest & {
    immutable: boolean
    data: Record<string, string>
    binaryData: Record<string, string>
  })[]
  assert.ok(map)
  assert.deepEqual([map.kind, map.metadata.namespace, map.immutable], ['ConfigMap', 'ai', true])
  assert.match(map.metadata.name, /^tappass-opa-[0-9a-f]{12}$/)
  assert.match(stderr, new RegExp(`bundle: ${map.metadata.name} `))
  assert.match(map.data['opa.yaml'] ?? '', /resource: file:\/\/\/etc\/tappass\/opa\/bundle\.tar\.gz/)
  const files = await unpackTar(gunzipSync(Buffer.from(map.binaryData['bundle.tar.gz'] ?? '', 'base64')))
  const names = files.map(({ header }) => header.name.replace(/^\.?\//, ''))
  assert.ok(names.includes('.signatures.json') && names.includes('data.json'), names.join())
  const again = readManifests((await type('policy', '--namespace', 'ai')).stdout)
  assert.equal(again[0]?.metadata.name, map.metadata.name)
  assert.notDeepEqual(again[0], map, 'the key is another one each time')
})
