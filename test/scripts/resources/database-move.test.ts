/** What becomes of the data when the database of a host is another one than before: moved, left because somebody said so, or refused; and the way back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { contentFact, pathFact } from '../../../scripts/facts/path.ts'
import { type DatabaseMoveOptions, databaseMove, databaseReturn } from '../../../scripts/resources/database-move.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const HERE = 'TAPPASS_ENV=production\nDATABASE_URL=postgresql://tappass@/tappass\n'
const ELSEWHERE = 'TAPPASS_ENV=production\n'
const noteOf = (state: string) =>
  JSON.stringify({ state, address: 'db.example.com:5432/tappass', movedAt: '2026-11-27T10:00:00.000Z', content: {} })

/** A host: the settings that are in force, whether it has a cluster, and the note of a move. */
type Host = Readonly<{ settings?: string; hasCluster?: boolean; note?: string; isUnended?: boolean }>
const folder = { kind: 'directory', mode: '0700', owner: 'x', group: 'x', uid: 70, gid: 70, bytes: 1 } as const
const factsOf = ({ settings, hasCluster = true, note, isUnended = false }: Host) =>
  factReaderOf([
    factRow(contentFact('/etc/tappass/gateway.env'), settings),
    factRow(pathFact('/var/lib/tappass/postgres/cluster'), hasCluster ? folder : { kind: 'absent' }),
    factRow(contentFact('/var/lib/tappass/moved-database.json'), note),
    factRow(pathFact('/var/lib/tappass/brought-database.json'), isUnended ? folder : { kind: 'absent' }),
  ])
const options = (more: Partial<DatabaseMoveOptions>): DatabaseMoveOptions => ({
  ...{ isElsewhere: true, choice: undefined, address: undefined, folder: '/opt/tappass/releases/2' },
  ...more,
})

type Row = Readonly<{
  name: string
  host: Host
  wants: Partial<DatabaseMoveOptions>
  plans?: RegExp
  refused?: RegExp
}>
const out: readonly Row[] = [
  { name: 'a bare host', host: { hasCluster: false }, wants: {} },
  { name: 'elsewhere already', host: { settings: ELSEWHERE }, wants: {} },
  { name: 'elsewhere already, and move is said again', host: { settings: ELSEWHERE }, wants: { choice: 'move' } },
  { name: 'a host whose own database never was', host: { settings: HERE, hasCluster: false }, wants: {} },
  {
    name: 'data here, and nothing is said',
    host: { settings: HERE },
    wants: {},
    refused: /would be left behind: storage\.database is external.*bootstrap --data move,.* or --data leave/s,
  },
  { name: 'data here, to be left', host: { settings: HERE }, wants: { choice: 'leave' } },
  { name: 'data here, to be moved', host: { settings: HERE }, wants: { choice: 'move' }, plans: /^move the data/ },
  { name: 'moved by a run that did not end', host: { settings: HERE, note: noteOf('moved') }, wants: {} },
  {
    name: 'moved to this very address',
    host: { settings: HERE, note: noteOf('moved') },
    wants: { choice: 'move', address: 'db.example.com:5432/tappass' },
  },
  {
    name: 'moved to another address than the one that is given',
    host: { settings: HERE, note: noteOf('moved') },
    wants: { choice: 'move', address: 'other.example.com:5432/tappass' },
    refused: /were moved to db\.example\.com:5432\/tappass already.*given is other/s,
  },
  {
    name: 'a move that was given up',
    host: { settings: HERE, note: noteOf('returned') },
    wants: { choice: 'move' },
    plans: /^move the data/,
  },
  {
    name: 'data that came back before, to be left',
    host: { settings: HERE, note: noteOf('brought') },
    wants: { choice: 'leave' },
    plans: /^forget the note/,
  },
  {
    name: 'data that came back before, to be moved',
    host: { settings: HERE, note: noteOf('brought') },
    wants: { choice: 'move' },
    plans: /^move the data to the database elsewhere/,
  },
  {
    name: 'brought back by a run that did not end, and elsewhere is wanted again',
    host: { settings: ELSEWHERE, note: noteOf('brought') },
    wants: {},
    plans: /^go back to the database elsewhere/,
  },
  {
    name: 'killed while they were brought back, and elsewhere is wanted again',
    host: { settings: ELSEWHERE, note: noteOf('moved'), isUnended: true },
    wants: {},
    plans: /^go back to the database elsewhere/,
  },
  { name: 'a note that nobody can read', host: { settings: HERE, note: '{' }, wants: {}, refused: /left behind/ },
]
const back: readonly Row[] = [
  { name: 'a bare host, container', host: { hasCluster: false }, wants: {} },
  { name: 'here already', host: { settings: HERE }, wants: {} },
  {
    name: 'data elsewhere, and nothing is said',
    host: { settings: ELSEWHERE },
    wants: {},
    refused: /are in a database elsewhere.*begins empty.*bootstrap --data move, .* or --data leave/s,
  },
  {
    name: 'data elsewhere, the own ones are older, and nothing is said',
    host: { settings: ELSEWHERE, note: noteOf('moved') },
    wants: {},
    refused: /are in a database elsewhere.*has what it had on 2026-11-27/s,
  },
  {
    name: 'data elsewhere, to be moved',
    host: { settings: ELSEWHERE, note: noteOf('moved') },
    wants: { choice: 'move' },
    plans: /^move the data from the database elsewhere to this host/,
  },
  {
    name: 'data elsewhere that never were here, to be moved',
    host: { settings: ELSEWHERE, hasCluster: false },
    wants: { choice: 'move' },
    plans: /^move the data from the database elsewhere to this host/,
  },
  {
    name: 'killed while they were moved',
    host: { settings: ELSEWHERE, note: noteOf('moved'), isUnended: true },
    wants: { choice: 'move' },
    plans: /^move the data from the database elsewhere to this host/,
  },
  {
    name: 'moved by a run that did not end',
    host: { settings: ELSEWHERE, note: noteOf('brought') },
    wants: { choice: 'move' },
  },
  { name: 'moved, and all ended', host: { settings: HERE, note: noteOf('brought') }, wants: {} },
  {
    name: 'moved away by a run that did not end, and here is wanted again',
    host: { settings: HERE, note: noteOf('moved') },
    wants: {},
    plans: /^go back to the database on this host/,
  },
  { name: 'data elsewhere, to be left', host: { settings: ELSEWHERE }, wants: { choice: 'leave' } },
  {
    name: 'data elsewhere, to be left, and the own one is closed',
    host: { settings: ELSEWHERE, note: noteOf('moved') },
    wants: { choice: 'leave' },
    plans: /^open the database on this host/,
  },
]
const rows = [...out, ...back.map((row) => ({ ...row, wants: { ...row.wants, isElsewhere: false } }))]

for (const { name, host, wants, plans, refused } of rows)
  test(`another database: ${name}: ${refused ? 'refused' : plans ? 'a change' : 'nothing to do'}`, async () => {
    const planned = databaseMove(options(wants)).plan(factsOf(host))
    if (refused === undefined) {
      const actions = (await planned).map(({ action }) => action)
      assert.equal(actions.length, plans === undefined ? 0 : 1, actions.join('\n'))
      if (plans !== undefined) assert.match(actions[0] ?? '', plans)
      return
    }
    await assert.rejects(planned, ({ code, text: { what, why, next } }: Failure) => {
      assert.equal(code, 5)
      assert.match([what, why, next].join('\n'), refused)
      return true
    })
  })

const undone: readonly Readonly<{ name: string; host: Host; isElsewhere?: boolean; is: number }>[] = [
  {
    name: 'the data were moved, and what is in force is the own one',
    host: { settings: HERE, note: noteOf('moved') },
    is: 1,
  },
  { name: 'all instances were moved', host: { settings: ELSEWHERE, note: noteOf('moved') }, is: 0 },
  { name: 'nothing was moved', host: { settings: HERE }, is: 0 },
  { name: 'that was done already', host: { settings: HERE, note: noteOf('returned') }, is: 0 },
  {
    name: 'the data were brought, and what is in force is the other one',
    host: { settings: ELSEWHERE, note: noteOf('brought') },
    isElsewhere: false,
    is: 1,
  },
  {
    name: 'what was killed while they were brought is not settled',
    host: { settings: ELSEWHERE, note: noteOf('moved'), isUnended: true },
    isElsewhere: false,
    is: 1,
  },
  {
    name: 'all instances were brought',
    host: { settings: HERE, note: noteOf('brought') },
    isElsewhere: false,
    is: 0,
  },
]
for (const { name, host, isElsewhere = true, is } of undone)
  test(`a run that failed: ${name}: ${is} changes`, async () => {
    const resource = databaseReturn(options({ isElsewhere }))
    assert.deepEqual(await resource.plan(factsOf(host)), [])
    assert.equal((await resource.undo?.(factsOf(host)))?.length, is)
  })
