/** The compiled policy belongs to the sources beside it. CI compiles again and compares; this needs no compiler. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { sha256 } from '../../../server/core/hash.ts'
import { documentText, ENTRYPOINT, hashSources, type PolicyLock, policySources } from '../../../server/policy/build.ts'

const FOLDER = join(import.meta.dirname, '../../../server/policy')
const lock = JSON.parse(readFileSync(join(FOLDER, 'policy.lock.json'), 'utf8')) as PolicyLock

test('the lock names every source with its hash, and the hash of what was compiled', () => {
  assert.deepEqual(lock.sources, hashSources(FOLDER))
  assert.equal(lock.wasm, sha256(readFileSync(join(FOLDER, 'policy.wasm'))))
  assert.equal(lock.entrypoint, ENTRYPOINT)
})

test('data.json, for an OPA server, is made from the built-in families', () => {
  assert.equal(readFileSync(join(FOLDER, 'data.json'), 'utf8'), documentText())
})

test('it was compiled by the version that versions.yaml names', () => {
  const versions = parse(readFileSync(join(FOLDER, '../../versions.yaml'), 'utf8')) as { opa: { version: string } }
  assert.equal(lock.opa, versions.opa.version)
})

test('a changed source and a new one differ from the lock, a test does not', () => {
  const copy = mkdtempSync(join(tmpdir(), 'policy-'))
  try {
    cpSync(FOLDER, copy, { recursive: true })
    writeFileSync(join(copy, 'more_test.rego'), 'package more_test\n')
    assert.deepEqual(hashSources(copy), lock.sources)
    writeFileSync(join(copy, 'recognise.rego'), `${readFileSync(join(copy, 'recognise.rego'), 'utf8')}\n`)
    assert.notDeepEqual(hashSources(copy), lock.sources)
    writeFileSync(join(copy, 'more.rego'), 'package more\n')
    assert.ok(policySources(copy).includes('more.rego'))
  } finally {
    rmSync(copy, { recursive: true })
  }
})
