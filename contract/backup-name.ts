/**
 * The names of backups: `tappass-20261127T031700Z` is a set (a folder), with `.dump` and `.json` behind it one of the earlier format; `base-20261127T031700Z` is a base backup.
 */

const NAME = /^tappass-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** Whether a text is the name of a set. */
export function isBackupName(text: string): boolean {
  return NAME.test(text)
}

/** Whether a text is the name of a base backup. */
export function isBaseName(text: string): boolean {
  return /^base-\d{8}T\d{6}Z$/.test(text)
}

/** Returns the name of the set that is taken at that time. */
export function backupName(at: Date): string {
  return `tappass-${timeWord(at)}`
}

/** A time in UTC as it stands in names: `20261127T031700Z`. */
export function timeWord(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

/** Returns the time (milliseconds since 1970) in a name; undefined for what is no name of a backup. */
export function takenMsOf(name: string): number | undefined {
  const [, ...parts] = NAME.exec(name) ?? []
  if (parts.length === 0) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}
