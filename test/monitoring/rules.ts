/** The alerts of monitoring/alerts.yaml. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** Where they are. */
export const ALERT_FILE: string = join(import.meta.dirname, '../../monitoring/alerts.yaml')

/** A rule. */
export type Alert = Readonly<{
  alert: string
  expr: string
  for?: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
}>

/** Returns all of them. */
export function readAlerts(): readonly Alert[] {
  const { groups } = parse(readFileSync(ALERT_FILE, 'utf8')) as {
    groups: readonly Readonly<{ rules: readonly Alert[] }>[]
  }
  return groups.flatMap(({ rules }) => rules)
}
