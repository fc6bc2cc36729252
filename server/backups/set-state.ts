/** Which backups count, by their names and what lies in them: a set is named by its time, and has `verified.json` once it was restored as a proof. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SET_FILE } from './manifest.ts'

/** A set. `takenMs` is when it was taken. */
export type SetState = Readonly<{ name: string; takenMs: number; isProven: boolean }>

const NAME = /^tappass-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** Returns the sets in a folder, the newest first; none where there is no such folder. */
export function readSetStates(folder: string): readonly SetState[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names
    .filter((name) => NAME.test(name))
    .flatMap((name) => {
      const takenMs = Date.parse(name.replace(NAME, '$1-$2-$3T$4:$5:$6Z'))
      if (Number.isNaN(takenMs)) return []
      return [{ name, takenMs, isProven: existsSync(join(folder, name, SET_FILE.proof)) }]
    })
    .toSorted((one, other) => other.takenMs - one.takenMs)
}
