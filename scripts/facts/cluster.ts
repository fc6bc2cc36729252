/** Which versions of PostgreSQL data are moved between. */

/** Major versions that a move was tried between, in either direction. */
const MOVABLE = ['16', '17']

/** Whether data of one major version of PostgreSQL can be moved to another one. */
export function isMovable(from: string, to: string): boolean {
  return from !== to && MOVABLE.includes(from) && MOVABLE.includes(to)
}
