/**
 * What becomes of the data when the database of a host is another one than before: never left behind unasked. They can be moved to one elsewhere, and back; the instances are started on
 * it by the rest of the run, and where that fails before anything was recorded there, the one of before serves again.
 */
import { type MovedDatabase, parseMovedDatabase } from '../../contract/moved-database.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { type MoveAction, moveCommand } from '../control/database-move.ts'
import { refusedFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { contentFact, pathFact } from '../facts/path.ts'

/** `isElsewhere` is what is wanted, `choice` and `address` (for people) are what the command line says, `folder` is that of the wanted release. */
export type DatabaseMoveOptions = Readonly<{
  isElsewhere: boolean
  choice: 'move' | 'leave' | undefined
  address: string | undefined
  folder: string
}>

const WAY = 'docs/how-to/external-storage.md says what each does'

/** Where the database is that the instances use by what is in force; undefined where nothing is. */
async function standingPlace(getFact: GetFact): Promise<'here' | 'elsewhere' | undefined> {
  const [settings, cluster] = await Promise.all([
    getFact(contentFact(HOST_PATH.gatewayEnvironment)),
    getFact(pathFact(HOST_PATH.postgresCluster)),
  ])
  if (settings === undefined) return undefined
  if (!/^DATABASE_URL=/m.test(settings)) return 'elsewhere'
  return cluster.kind === 'absent' ? undefined : 'here'
}

async function movedOf(getFact: GetFact): Promise<MovedDatabase | undefined> {
  return parseMovedDatabase(await getFact(contentFact(HOST_PATH.movedDatabase)))
}

/** Where the database is, what the last move has noted, and whether one that brings data back has not ended. */
async function stateOf(getFact: GetFact) {
  const [place, moved, unended] = await Promise.all([
    standingPlace(getFact),
    movedOf(getFact),
    getFact(pathFact(HOST_PATH.broughtDatabase)),
  ])
  return { place, moved, isUnended: unended.kind !== 'absent' }
}

function change(action: string, reason: string, move: MoveAction, folder: string): Change {
  return { action, reason, commands: [moveCommand(move, folder)] }
}

/** Of a move whose run did not end, and is not wanted any more. */
const GIVEN_UP = 'its data were moved by a run that did not end'

async function planOut(getFact: GetFact, { choice, address, folder }: DatabaseMoveOptions): Promise<readonly Change[]> {
  const { place, moved, isUnended } = await stateOf(getFact)
  if (place === 'elsewhere' && (isUnended || moved?.state === 'brought'))
    return [change('go back to the database elsewhere', GIVEN_UP, 'return', folder)]
  if (place !== 'here') return []
  if (moved?.state === 'moved') {
    if (address === undefined || address === moved.address) return []
    throw refusedFailure(
      `the data of this server were moved to ${moved.address} already`,
      `the address that is given is ${address}, and the run that moved them did not end`,
      'run the same command again with the address of before; move them from there to another one by hand',
    )
  }
  if (choice === undefined)
    throw refusedFailure(
      'the data of this server would be left behind: storage.database is external, and they are on this host',
      `agents, keys and ledger are in ${HOST_PATH.postgresFolder}; the other database has none of them`,
      `tappass bootstrap --data move, which takes them along, or --data leave; ${WAY}`,
    )
  if (choice === 'leave') {
    // Else a later run would take it for one of the database that is used from now on.
    const reason = `it is of ${moved?.address}, and another database is used from now on`
    return moved?.state === 'brought' ? [change('forget the note of the last move', reason, 'forget', folder)] : []
  }
  const reason = `calls are refused from here until the first instance serves on it; they stay in ${HOST_PATH.postgresFolder}, too`
  return [change('move the data to the database elsewhere', reason, 'move', folder)]
}

async function planIn(getFact: GetFact, { choice, folder }: DatabaseMoveOptions): Promise<readonly Change[]> {
  const { place, moved, isUnended } = await stateOf(getFact)
  if (place === 'here' && moved?.state === 'moved')
    return [change('go back to the database on this host', GIVEN_UP, 'return', folder)]
  if (place !== 'elsewhere') return []
  if (choice === undefined)
    throw refusedFailure(
      'the data of this server would be left behind: storage.database is container, and they are in a database elsewhere',
      moved?.state === 'moved'
        ? `the database on this host has what it had on ${moved.movedAt}`
        : 'the database on this host begins empty, or with what it had when it was last used',
      `tappass bootstrap --data move, which takes them along, or --data leave; ${WAY}`,
    )
  if (choice === 'move') {
    if (moved?.state === 'brought') return []
    const reason = 'calls are refused from here until the first instance serves on this host; they stay there, too'
    return [change('move the data from the database elsewhere to this host', reason, 'bring', folder)]
  }
  if (moved === undefined && !isUnended) return []
  return [change('open the database on this host', 'it was closed when its data were moved', 'open', folder)]
}

/** The move, before the first instance is started on the other database. Throws a `Failure` (exit 5) where data would be left behind and nobody said so. */
export function databaseMove(options: DatabaseMoveOptions): Resource {
  return {
    id: 'database-move:host',
    absent: leavesNothing('its note goes with the folder of the data'),
    plan: async (getFact) => (options.isElsewhere ? await planOut(getFact, options) : await planIn(getFact, options)),
  }
}

/** The way back, after the instances: what a failed rollout goes back to has to be open before. */
export function databaseReturn({ isElsewhere, folder }: Pick<DatabaseMoveOptions, 'isElsewhere' | 'folder'>): Resource {
  return {
    id: 'database-return:host',
    absent: leavesNothing('it makes nothing'),
    plan: async () => [],
    undo: async (getFact) => {
      const { place, moved, isUnended } = await stateOf(getFact)
      const reason = 'the run failed before all instances were on the other one'
      if (isElsewhere && place === 'here' && moved?.state === 'moved')
        return [change('go back to the database on this host', reason, 'return', folder)]
      if (!isElsewhere && place === 'elsewhere' && (isUnended || moved?.state === 'brought'))
        return [change('go back to the database elsewhere', reason, 'return', folder)]
      return []
    },
  }
}
