/** The dashboards, by the name of their file below monitoring/dashboards. */
import type { Dashboard } from './dashboard.ts'
import { OPERATORS } from './operators.ts'
import { SECURITY_OFFICERS } from './security-officers.ts'

/** All of them. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  operators: OPERATORS,
  'security-officers': SECURITY_OFFICERS,
}
