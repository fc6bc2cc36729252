/** The settings that a host already runs with, as a run without `--config` finds them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOST_PATH } from '../../../contract/path.ts'
import type { Connection } from '../../../scripts/core/host.ts'
import { contentFact, type PathState, pathFact } from '../../../scripts/facts/path.ts'
import type { Event } from '../../../scripts/output/event.ts'
import { readCurrentSettings } from '../../../scripts/session/effective-spec.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const file: PathState = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 }

const find = async (state: PathState, text: string | undefined, config?: string) => {
  const events: Event[] = []
  const found = await readCurrentSettings({
    target: { name: 'root@a', address: undefined, config },
    connection: {} as Connection,
    freshFacts: () =>
      factReaderOf([factRow(pathFact(HOST_PATH.settings), state), factRow(contentFact(HOST_PATH.settings), text)]),
    emit: (event) => events.push(event),
  })
  return { found, events }
}

test('current settings: used, and reported', async () => {
  assert.deepEqual(await find(file, 'instances: 3\n'), {
    found: 'instances: 3\n',
    events: [{ event: 'settings', source: HOST_PATH.settings }],
  })
})

test('current settings: none on a bare host, none with --config', async () => {
  assert.deepEqual(await find({ kind: 'absent' }, undefined), { found: undefined, events: [] })
  assert.deepEqual(await find(file, 'instances: 3\n', '/host.yaml'), { found: undefined, events: [] })
})

test('current settings: unreadable ones are an error, not the defaults', async () => {
  await assert.rejects(find(file, undefined), { code: 1, message: `cannot read ${HOST_PATH.settings}` })
})
