/** The governance flags of a call (`X-TapPass-Flags: pii=mask, mode=lockdown`). A flag may tighten, never loosen. */
import type { ErrorCode } from '../core/errors.ts'
import type { FlagTable } from '../core/finding-family.ts'

/** The flags of a call, or the error that they cause. */
export type ParsedFlags =
  | Readonly<{ status: 'parsed'; flags: Readonly<Record<string, string>> }>
  | Readonly<{ status: 'invalid'; code: ErrorCode; message: string }>

/** Maximum length of the header. */
const CHARS_MAX = 1000

/**
 * Parses the header; undefined is no flags. `table` has the flags that the policy enforces, and values that are weaker
 * than the default. A known flag that is not enforced here is rejected as well: a client must
 * not believe that a limit is enforced when it is not.
 */
export function parseFlags(header: string | undefined, table: FlagTable): ParsedFlags {
  const flags: Record<string, string> = {}
  if (header === undefined || header.trim() === '') return { status: 'parsed', flags }
  if (header.length > CHARS_MAX)
    return invalid('flags.malformed', `X-TapPass-Flags is longer than ${CHARS_MAX} characters.`)
  for (const part of header.split(',')) {
    const [, name, value] = /^\s*([a-z_]{1,32})\s*=\s*([\w.:@*-]{1,128})\s*$/.exec(part) ?? []
    if (name === undefined || value === undefined || Object.hasOwn(flags, name)) {
      return invalid('flags.malformed', 'X-TapPass-Flags is a comma-separated list of name=value, each name once.')
    }
    const flag = table.get(name)
    if (flag?.loosening.includes(value) === true) {
      return invalid(
        'flags.loosening',
        `The flag ${name}=${value} would make governance looser. It may be ${flag.values.join(' or ')}.`,
      )
    }
    const meant = flag?.aliases?.get(value) ?? value
    if (flag?.values.includes(meant) !== true) {
      const all = [...table].map(([known, { values }]) => `${known}=${values.join('|')}`).join(', ')
      return invalid('flags.unknown', `The flag ${name}=${value} is not enforced here. Enforced are ${all}.`)
    }
    flags[name] = meant
  }
  return { status: 'parsed', flags }
}

/**
 * Parses headers that mean the same, and merges their flags. A flag that has another value in each is rejected: neither
 * may be dropped in silence.
 */
export function parseFlagHeaders(headers: readonly (string | undefined)[], table: FlagTable): ParsedFlags {
  const flags: Record<string, string> = {}
  for (const header of headers) {
    const parsed = parseFlags(header, table)
    if (parsed.status === 'invalid') return parsed
    for (const [name, value] of Object.entries(parsed.flags)) {
      if (Object.hasOwn(flags, name) && flags[name] !== value) {
        const message = `The flag ${name} is ${flags[name]} in one header and ${value} in the other; give one of them.`
        return invalid('flags.malformed', message)
      }
      flags[name] = value
    }
  }
  return { status: 'parsed', flags }
}

function invalid(code: ErrorCode, message: string): ParsedFlags {
  return { status: 'invalid', code, message }
}
