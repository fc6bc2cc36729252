/** What the controller sends: images measured by their manifests, secrets read whole and never shown. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { measureFile, measureImage, readSecret } from '../../../scripts/artifacts/artifact-measurement.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import { scratch } from '../known-host.ts'

const configuration = JSON.stringify({ rootfs: { diff_ids: ['sha256:a', 'sha256:b'] } })
const imageId = `sha256:${createHash('sha256').update(configuration).digest('hex')}`

const save = (folder: string, files: Record<string, string>, ...options: readonly string[]): string => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  execFileSync('tar', ['-cf', join(folder, 'image.tar'), ...options, '-C', folder, ...Object.keys(files)])
  return join(folder, 'image.tar')
}

const files = {
  [`${'blob'.repeat(30)}.json`]: '{}',
  'layer.tar': 'x'.repeat(5000),
  'config.json': configuration,
  'manifest.json': JSON.stringify([{ Config: 'config.json' }]),
}

for (const options of [[], ['--gzip'], ['--format=gnu'], ['--format=posix']]) {
  test(`measureImage: the id is that of the configuration ${options.join('')}`, async (context) => {
    const file = save(scratch(context), files, ...options)
    const { sha256 } = await measureFile(file)
    assert.deepEqual(await measureImage(file), { file, sha256, imageId, layers: ['sha256:a', 'sha256:b'] })
  })
}

test('measureImage: what is no image is named', async (context) => {
  const folder = scratch(context)
  for (const file of [save(folder, { other: 'x' }), join(folder, 'none.tar')]) {
    await assert.rejects(
      measureImage(file),
      (error: Error & { code: number }) => error.code === 64 && error.message.includes(file),
    )
  }
})

test('measureFile: the digest that sha256sum gives', async (context) => {
  const file = join(scratch(context), 'f')
  writeFileSync(file, 'x'.repeat(3_000_000))
  assert.equal((await measureFile(file)).sha256, execFileSync('sha256sum', [file]).toString().slice(0, 64))
})

test('readSecret: an id that there is not is a usage failure that names the nearest', async () => {
  await assert.rejects(
    readSecret('openai-api-kay=key', '/'),
    (error: Error & { code: number; text: { next: string } }) => {
      assert.match(error.message, /^there is no secret "openai-api-kay"/)
      return error.code === 64 && error.text.next.includes('openai-api-key=FILE')
    },
  )
})

test('readSecret: the value without the line end of its file, and hidden from whoever prints it', async (context) => {
  const folder = scratch(context)
  const value = ['open', 'sesame'].join('=')
  writeFileSync(join(folder, 'key=file'), `${value}\n`)
  const [id, secret] = await readSecret('openai-api-key=key=file', folder)
  assert.equal(id, 'openai-api-key')
  assert.equal(secret.readValue(), value)
  assert.equal(secret.sha256, createHash('sha256').update(value).digest('hex'))
  for (const text of [JSON.stringify(secret), inspect(secret), String(secret)]) assert.ok(!text.includes(value))
})

for (const written of ['no-equals-sign', '=file', 'id=', 'UPPER=file', '../x=file', 'id=missing', 'id=empty']) {
  test(`readSecret: "${written}" is a usage failure`, async (context) => {
    const folder = scratch(context)
    writeFileSync(join(folder, 'empty'), '\n')
    await assert.rejects(readSecret(written, folder), { name: 'Failure', code: 64 })
  })
}

test('readSecret: an address that cannot be used is a usage failure that does not hold it', async (context) => {
  const folder = scratch(context)
  const password = 'x'.repeat(12)
  writeFileSync(join(folder, 'url'), `postgresql://u:${password}@db/d?sslmode=prefer\n`)
  await assert.rejects(readSecret('database-url=url', folder), (error: Failure) => {
    assert.match(error.text.what, /can't be used: sslmode=prefer is not one of/)
    assert.equal(JSON.stringify(error.text).includes(password), false)
    return error.code === 64
  })
})
