/** Paths at which there must be nothing. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { absent } from '../../../scripts/resources/absent.ts'
import { applyHere, factsHere, scratch } from '../known-host.ts'

const rows = [
  { name: 'a file', make: (path: string) => writeFileSync(path, '') },
  { name: 'a link to nothing', make: (path: string) => symlinkSync('nowhere', path) },
  {
    name: 'a directory',
    make: (path: string) => {
      mkdirSync(join(path, 'deep'), { recursive: true })
      writeFileSync(join(path, 'deep', 'x'), '')
    },
  },
] as const

for (const { name, make } of rows) {
  test(`absent: ${name} is removed`, async (context) => {
    const path = join(scratch(context), "it's -x")
    assert.deepEqual(await absent({ path }).plan(factsHere()), [])
    make(path)
    const [change] = await applyHere(absent({ path }))
    assert.match(change?.reason ?? '', /there is a/)
    assert.equal(existsSync(path), false)
  })
}
