/** What a host notes when its data were moved to a database elsewhere: the gateway's half writes it, the toolkit plans by it. */

/**
 * `moved`: the data are there, and the database on the host is closed. `returned`: a run went back to the host's own before anything was recorded there; the copy
 * is still there, and may be replaced. `address` is for people, without a password. `content` is what each table had, by its rows and their digest.
 */
export type MovedDatabase = Readonly<{
  state: 'moved' | 'returned'
  address: string
  movedAt: string
  content: Readonly<Record<string, string>>
}>

/** Reads the note; undefined where there is none, or none that can be read. */
export function parseMovedDatabase(text: string | undefined): MovedDatabase | undefined {
  try {
    const found = JSON.parse(text ?? '') as MovedDatabase
    return (found.state === 'moved' || found.state === 'returned') && typeof found.address === 'string'
      ? found
      : undefined
  } catch {
    return undefined
  }
}
