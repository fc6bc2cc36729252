/** What a host notes when its data were moved to a database elsewhere or back from there: the gateway's half writes it, the toolkit plans by it. */
import type { PostgresAddress } from './postgres-address.ts'

/**
 * `moved`: the data are there, and the database on the host is closed. `returned`: a run went back to the host's own before anything was recorded there; the copy
 * is still there, and may be replaced. `brought`: they came from there, and that one is closed to the gateway. `address` says which database, whoever logs in. `content` is what each table had, by its rows and their digest;
 * `earlier` is the name of the host's own database of before, which stood still since `awaySince`, where that is known.
 */
export type MovedDatabase = Readonly<{
  state: 'moved' | 'returned' | 'brought'
  address: string
  movedAt: string
  content: Readonly<Record<string, string>>
  earlier?: string
  awaySince?: string | undefined
}>

const STATES: readonly MovedDatabase['state'][] = ['moved', 'returned', 'brought']

/** Returns the name of a database elsewhere, the same for each role of it. */
export function databaseLabel({ host, port, database }: Pick<PostgresAddress, 'host' | 'port' | 'database'>): string {
  return `${host}:${port}/${database}`
}

/** Reads the note; undefined where there is none, or none that can be read. */
export function parseMovedDatabase(text: string | undefined): MovedDatabase | undefined {
  try {
    const found = JSON.parse(text ?? '') as MovedDatabase
    return STATES.includes(found.state) && typeof found.address === 'string' ? found : undefined
  } catch {
    return undefined
  }
}
