/** What the process of backups was asked for, on its command line; no secret stands there. */
import { parseArgs } from 'node:util'
import { parseRecipients } from '../../contract/recovery-key.ts'
import type { RetentionPolicy } from '../backups/retention.ts'
import { type BackupHost, DATABASE } from './backup-host.ts'
import { containerHost, HOST_OPTIONS } from './container-host.ts'

/** What was asked for; `by` is who typed it, `base` the base backup of a lost server that was brought here. */
export type Request = Readonly<{
  host: BackupHost
  operand: string | undefined
  keep: RetentionPolicy
  pointInTimeDays: number
  time: Date | undefined
  recipient: string | undefined
  database: string | undefined
  keyFile: string | undefined
  by: string
  isCheck: boolean
  isFirst: boolean
  base: string | undefined
  isJson: boolean
}>

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OPTIONS = {
  ...HOST_OPTIONS,
  'keep-daily': TEXT,
  'keep-weekly': TEXT,
  'recovery-key': TEXT,
  database: TEXT,
  key: TEXT,
  check: FLAG,
  first: FLAG,
  base: TEXT,
  to: TEXT,
  by: TEXT,
  'point-in-time-days': TEXT,
  json: FLAG,
} as const

const DATABASE_NAME = /^tappass_[a-z0-9_]{1,40}$/

/** Returns what the arguments ask for; undefined when they are invalid. `log` takes a line for people. */
export function parseRequest(
  argv: readonly string[],
  log: (line: string) => void,
): Readonly<{ action: string; request: Request }> | undefined {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  const [action = '', operand, ...rest] = positionals
  const [daily, weekly] = [Number(values['keep-daily'] ?? 7), Number(values['keep-weekly'] ?? 4)]
  const recipient = values['recovery-key'] === undefined ? undefined : parseRecipients(values['recovery-key'])
  const isKeyWrong = values['recovery-key'] !== undefined && recipient === undefined
  const { database } = values
  const time = values.to === undefined ? undefined : new Date(values.to)
  const pointInTimeDays = Number(values['point-in-time-days'] ?? 0)
  const isNameWrong =
    database !== undefined && (!DATABASE_NAME.test(database) || Object.values<string>(DATABASE).includes(database))
  if (rest.length > 0 || !Number.isInteger(daily) || !Number.isInteger(weekly) || isKeyWrong || isNameWrong) return
  if (Number.isNaN(time?.getTime()) || !Number.isInteger(pointInTimeDays)) return
  const flags = {
    by: values.by ?? 'root',
    isCheck: values.check === true,
    isFirst: values.first === true,
    isJson: values.json === true,
  }
  return {
    action,
    request: {
      host: containerHost(values, log),
      operand,
      keep: { daily, weekly },
      pointInTimeDays,
      time,
      recipient,
      database,
      keyFile: values.key,
      base: values.base,
      ...flags,
    },
  }
}
