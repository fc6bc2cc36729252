/** A file that may be somebody else's: theirs stays, ours is written and repaired. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { exclusiveFile } from '../../../scripts/resources/exclusive-file.ts'
import { applyHere, factsHere, scratch } from '../known-host.ts'

const OURS = '{"ip":"127.0.0.1"}\n'

const rows: readonly Readonly<{
  name: string
  found?: string
  isMarked?: boolean
  isRefused: boolean
}>[] = [
  { name: 'nothing there', isRefused: false },
  { name: 'ours, from a run that was killed', found: OURS, isRefused: false },
  { name: 'somebody else’s', found: '{"data-root":"/srv/docker"}', isRefused: true },
  { name: 'an empty one', found: '', isRefused: true },
  { name: 'ours, edited after it became ours', found: '{}', isMarked: true, isRefused: false },
]

for (const { name, found, isMarked, isRefused } of rows) {
  test(`exclusive file: ${name} is ${isRefused ? 'refused' : 'written'}`, async (context) => {
    const folder = scratch(context)
    const [path, ownMark] = [join(folder, 'daemon.json'), join(folder, 'tappass.conf')]
    if (found !== undefined) writeFileSync(path, found, { mode: 0o644 })
    if (isMarked) writeFileSync(ownMark, '')
    const owner = { owner: process.getuid?.() ?? 0, group: process.getgid?.() ?? 0, mode: '0644' }
    const remedy = 'set docker.adopt: true in host.yaml'
    const resource = exclusiveFile({ path, content: OURS, ...owner, ownMark, user: 'x.service', remedy })
    if (!isRefused) {
      await applyHere(resource)
      assert.equal(readFileSync(path, 'utf8'), OURS)
      return
    }
    await assert.rejects(resource.plan(factsHere()), (failure: Failure) => {
      assert.equal(failure.code, 5)
      assert.match(failure.text.next ?? '', /docker\.adopt: true/)
      return true
    })
    assert.equal(readFileSync(path, 'utf8'), found)
  })
}
