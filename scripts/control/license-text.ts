/** What a license says, checked before it is signed, and as text for people. */
import { type IssuedLicense, type License, licenseEndMs } from '../../contract/license.ts'
import { usageFailure } from '../core/failure.ts'

const DAY_MS = 86_400_000
const ORG_CHARS_MAX = 200
const EXAMPLE = 'tappass license issue --org "Client Corp" --tier enterprise --expires 2027-12-31 --key authority.pem'

/** Checks what a new license shall say. Throws a usage failure that names the option. */
export function checkedLicense(fields: Readonly<Record<keyof IssuedLicense, string>>, nowMs: number): IssuedLicense {
  const { org, tier, expires } = fields
  if (org.trim() !== org || org === '' || org.length > ORG_CHARS_MAX || /\p{C}/u.test(org))
    throw usageFailure(`"--org" must be a name of 1 to ${ORG_CHARS_MAX} characters on one line`, EXAMPLE)
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(tier))
    throw usageFailure(`"--tier" must be a word of lower-case letters, digits and dashes, not "${tier}"`, EXAMPLE)
  const endMs = licenseEndMs(expires)
  if (endMs === undefined)
    throw usageFailure(`"--expires" must be the last valid day as YYYY-MM-DD, not "${expires}"`, EXAMPLE)
  if (endMs < nowMs) throw usageFailure(`"--expires" is ${expires}, which is over`, EXAMPLE)
  return { org, tier, expires }
}

/** Returns how many days a license is still valid, today included; negative ones are over. Null for one without an end. */
export function daysLeft({ expires }: License, nowMs: number): number | null {
  const endMs = licenseEndMs(expires ?? '')
  return endMs === undefined ? null : Math.ceil((endMs - nowMs) / DAY_MS)
}

/** Renders a license, one line for each part. `status` is one word, or that with a reason. */
export function renderLicense(license: License, status: string, nowMs: number): string {
  const days = daysLeft(license, nowMs)
  const left = days === null ? '' : days > 0 ? `, ${days} ${days === 1 ? 'day' : 'days'} left` : ''
  const rows = [
    ['status', status],
    ['org', license.org ?? '-'],
    ['tier', license.tier],
    ['expires', license.expires === null ? 'never' : `${license.expires}${left}`],
  ] as const
  return rows.map(([name, value]) => `${name.padEnd(9)}${value}\n`).join('')
}
