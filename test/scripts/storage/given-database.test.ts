/** The name of a database elsewhere is the same for each role of it, and never holds a password. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { givenDatabase } from '../../../scripts/storage/storage-spec.ts'

const rows = [
  [undefined, undefined],
  ['postgresql://serving:one@db.example.com/tappass\n', 'db.example.com:5432/tappass'],
  ['postgresql://owning:two@db.example.com:5432/tappass?sslmode=require\n', 'db.example.com:5432/tappass'],
  ['postgresql://serving.project:one@pooler.example.com:6543/tappass', 'pooler.example.com:6543/tappass'],
] as const
for (const [text, name] of rows)
  test(`a database that is given: ${name}`, () => {
    const secrets = text === undefined ? {} : { 'database-url': { sha256: '', readValue: () => text } }
    assert.equal(givenDatabase(secrets), name)
  })
