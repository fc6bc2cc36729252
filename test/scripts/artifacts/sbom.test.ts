/** The bill of materials against the schema of its format, and against what is locked and pinned. Needs: npm. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Spec } from '@cyclonedx/cyclonedx-library'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { parsePins } from '../../../scripts/artifacts/pin.ts'
import { createSbom, pinnedComponents } from '../../../scripts/artifacts/sbom.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** The schemas that the project CycloneDX publishes, as its library brings them. */
const schema = (name: string) =>
  readJson(join(root, `node_modules/@cyclonedx/cyclonedx-library/res/schema/${name}.SNAPSHOT.schema.json`))

const validator = () => {
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'idn-email': true, 'iri-reference': true } })
  addFormats.default(ajv)
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  return ajv.compile(schema(`bom-${Spec.Version.v1dot5}`))
}

const sbom = createSbom(root)

test('sbom: it is what the schema of CycloneDX 1.5 asks for', () => {
  const validate = validator()
  validate(sbom)
  assert.deepEqual(validate.errors ?? [], [])
})

test('sbom: a component without a name, and a checksum that is none, are what that schema refuses', () => {
  for (const broken of [
    { type: 'application' },
    { type: 'application', name: 'a', hashes: [{ alg: 'SHA-256', content: 'latest' }] },
  ])
    assert.equal(validator()({ ...sbom, components: [broken] }), false, JSON.stringify(broken))
})

type Entry = Readonly<
  { version: string; integrity: string } & Partial<Record<'dev' | 'devOptional' | 'optional', boolean>>
>

test('sbom: it has each locked production package with its SHA-512, and no other package', () => {
  const { packages } = readJson(join(root, 'package-lock.json')) as { packages: Record<string, Entry> }
  const locked = Object.entries(packages)
    .filter(([path, { dev, devOptional, optional }]) => path !== '' && !(dev || devOptional || optional))
    .map(([path, { version, integrity }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      return `${name}@${version} ${Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')}`
    })
  const listed = (
    sbom.components as unknown as readonly {
      name: string
      version: string
      purl: string
      hashes: { content: string }[]
    }[]
  )
    .filter(({ purl }) => purl.startsWith('pkg:npm/'))
    .map(({ name, version, hashes }) => `${name}@${version} ${hashes[0]?.content}`)
  assert.deepEqual(listed.toSorted(), [...new Set(locked)].toSorted())
})

test('sbom: it has each pin with its checksum, each depended on by the whole', () => {
  const text = readFileSync(join(root, 'versions.yaml'), 'utf8')
  const written = JSON.stringify(sbom)
  const checksums = text.match(/[0-9a-f]{64}/g) ?? []
  const ofNpm = text.match(/packages:.*\n(?: {6}\S+: [0-9a-f]{64}\n)+/g)?.join('') ?? ''
  const pinned = checksums.filter((each) => !ofNpm.includes(each))
  assert.ok(pinned.length >= 8)
  for (const checksum of pinned) assert.ok(written.includes(checksum), checksum)
  const refs = pinnedComponents(parsePins(text)).map((each) => each['bom-ref'])
  const whole = sbom.dependencies.find(({ ref }) => ref === sbom.metadata.component['bom-ref'])
  for (const ref of refs) assert.ok(whole?.dependsOn?.includes(ref), ref)
})

test('sbom: the same files give the same bytes', () => {
  assert.equal(JSON.stringify(createSbom(root)), JSON.stringify(sbom))
  assert.doesNotMatch(JSON.stringify(sbom), /serialNumber|timestamp/)
})
