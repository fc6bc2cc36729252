/** What `tappass secrets list` says of each secret. Pure. */
import type { RotationKind } from '../secrets/secret-rotation.ts'
import type { StoredSecret, StoredSecrets } from '../secrets/stored-secret.ts'
import { renderTable } from './text-table.ts'

/** Times are ISO. `isOverdue`: it was stored longer ago than was asked for. */
export type SecretState = Readonly<{
  id: string
  kind: RotationKind
  storedAt: string
  nextStoredAt?: string
  expiresAt?: string
  isOverdue: boolean
  isExpired: boolean
}>

const DAY_SECONDS = 86_400

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

/** Judges each by the host's own clock. */
export function judgeSecrets({ secrets, now }: StoredSecrets, ageSecondsMax: number): readonly SecretState[] {
  return secrets.map(({ id, kind, storedAt, nextStoredAt, expires }) => ({
    ...{ id, kind, storedAt: isoTime(storedAt) },
    ...(nextStoredAt === undefined ? {} : { nextStoredAt: isoTime(nextStoredAt) }),
    ...(expires === undefined ? {} : { expiresAt: isoTime(expires) }),
    isOverdue: now - storedAt > ageSecondsMax,
    isExpired: expires !== undefined && expires < now,
  }))
}

/** Whether nothing has to be done about it. */
export function isWell({ isOverdue, isExpired }: SecretState): boolean {
  return !isOverdue && !isExpired
}

const HOW: Readonly<Record<RotationKind, string>> = {
  distributed: 'rotated; both values are good until --finish',
  password: 'rotated by one run',
  own: 'rotated by one run',
  kept: 'rotated by one run; earlier ones stay for what was made with them',
  provided: 'provided with --secret',
}

function daysText(seconds: number): string {
  const days = Math.floor(seconds / DAY_SECONDS)
  return days === 1 ? '1 day' : `${days} days`
}

function row(state: SecretState, secret: StoredSecret, now: number): readonly string[] {
  const { id, storedAt, nextStoredAt, expiresAt = '', isExpired } = state
  const isPending = nextStoredAt !== undefined
  return [
    isWell(state) ? id : `${id} !`,
    storedAt,
    daysText(now - secret.storedAt),
    isExpired ? `${expiresAt}: expired` : expiresAt,
    isPending ? `is being rotated since ${nextStoredAt}` : HOW[state.kind],
  ]
}

/** Renders a table with a line end. What is not well has an exclamation mark. */
export function renderSecrets({ secrets, now }: StoredSecrets, states: readonly SecretState[]): string {
  const rows = states.map((state, index) => row(state, secrets[index] as StoredSecret, now))
  return `${renderTable([['SECRET', 'STORED', 'AGE', 'EXPIRES', 'ROTATION'], ...rows])}\n`
}
