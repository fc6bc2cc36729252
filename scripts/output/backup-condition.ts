/** The last backup of a server, as `status` judges it: proven, there, and not too old. */
import { ageText, type Condition, type Values } from './condition.ts'

/** `takenAt` is ISO time; `bytes` is the size of the dump. */
export type LastBackup = Readonly<{ takenAt: string; bytes: number }>

/** The timer's stamp is made within these of the database on a first run, without a backup. */
const FIRST_RUN_SECONDS = 600
const TOLERANCE_SECONDS = 60

type Manifest = Readonly<{
  format: number
  takenAt: string
  bytes: number
  files: readonly Readonly<{ name: string; bytes: number }>[]
  withheld: readonly string[]
}>

function parseMembers<Members>(text: string): Partial<Members> {
  try {
    return JSON.parse(text) as Partial<Members>
  } catch {
    return {}
  }
}

/** Of a set, or of a release before 0.13. */
export function parseManifest(text: string): LastBackup | undefined {
  const { takenAt = '', bytes, files } = parseMembers<Manifest>(text)
  const size = bytes ?? files?.find(({ name }) => name === 'database.dump')?.bytes
  return Number.isFinite(Date.parse(takenAt)) && size !== undefined ? { takenAt, bytes: size } : undefined
}

/** How it was proven, and what it lacks. */
function proofText({ one }: Values): string {
  const { format, withheld = [] } = parseMembers<Manifest>(one('BACKUP'))
  if (format !== 2) return 'verified when it was taken'
  const { seconds } = parseMembers<{ seconds: number }>(one('PROOF'))
  const lacks = withheld.length === 0 ? '' : ', without secrets: there is no backup.recoveryKey'
  return `restored as a proof in ${seconds} s${lacks}`
}

/** Only a backup that was proven counts. */
export function judgeBackup({ one, all }: Values, last: LastBackup | undefined): Condition {
  const [now, due, database] = ['NOW', 'DUE', 'DATABASE'].map((name) => Number(one(name).replace(/^@/, '')) || 0) as [
    number,
    number,
    number,
  ]
  const isRunning = one('RUNNING') === 'activating'
  const running = isRunning ? '; one is being taken' : ''
  const condition = (isWell: boolean, state: string): Condition => ({ name: 'backup', state: state + running, isWell })
  const [unproven] = all('UNPROVEN')
  if (last === undefined) {
    if (one('BACKUP') !== '') return condition(false, 'the manifest of the last one cannot be read')
    if (unproven !== undefined) return condition(isRunning, `${unproven} was never proven, and no other is there`)
    const wasDue = database > 0 && due > database + FIRST_RUN_SECONDS
    return wasDue && !isRunning
      ? condition(false, `none, though one was due ${ageText(now - due)} ago`)
      : condition(true, 'none yet')
  }
  const takenSeconds = Date.parse(last.takenAt) / 1000
  const state = `${last.takenAt}, ${ageText(now - takenSeconds)} old, ${last.bytes} bytes`
  if (one('DUMP_BYTES') === '') return condition(false, `${state}: its dump is gone`)
  if (Number(one('DUMP_BYTES')) !== last.bytes)
    return condition(false, `${state}: its dump has ${one('DUMP_BYTES')} bytes`)
  if (unproven !== undefined && !isRunning) return condition(false, `${state}: a newer one, ${unproven}, is not proven`)
  const isMissed = takenSeconds < due - TOLERANCE_SECONDS && !isRunning
  if (isMissed) return condition(false, `${state}: a newer one was due ${ageText(now - due)} ago`)
  return condition(true, `${state}, ${proofText({ one, all })}`)
}
