/** The governance flags of a call (`X-TapPass-Flags: pii=mask, mode=lockdown`). A flag may tighten, never loosen. */
import type { ErrorCode } from '../core/errors.ts'

/** Flags that are enforced, with their values; the policy accepts the same ones. */
const ENFORCED_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['mode', ['enforce', 'lockdown']],
  ['pii', ['mask', 'block']],
  ['secrets', ['block']],
])

/** Values that are weaker than the default. */
const LOOSENING_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['mode', ['observe', 'warn']],
  ['pii', ['off', 'flag']],
  ['secrets', ['redact', 'flag']],
])

/** The flags of a call, or the error that they cause. */
export type ParsedFlags =
  | Readonly<{ status: 'parsed'; flags: Readonly<Record<string, string>> }>
  | Readonly<{ status: 'invalid'; code: ErrorCode; message: string }>

/** Maximum length of the header. */
const CHARS_MAX = 1000

/**
 * Parses the header; undefined is no flags. A known flag that is not enforced here is rejected as well: a client must
 * not believe that a limit is enforced when it is not.
 */
export function parseFlags(header: string | undefined): ParsedFlags {
  const flags: Record<string, string> = {}
  if (header === undefined || header.trim() === '') return { status: 'parsed', flags }
  if (header.length > CHARS_MAX)
    return invalid('flags.malformed', `X-TapPass-Flags is longer than ${CHARS_MAX} characters.`)
  for (const part of header.split(',')) {
    const [, name, value] = /^\s*([a-z_]{1,32})\s*=\s*([\w.:@*-]{1,128})\s*$/.exec(part) ?? []
    if (name === undefined || value === undefined || Object.hasOwn(flags, name)) {
      return invalid('flags.malformed', 'X-TapPass-Flags is a comma-separated list of name=value, each name once.')
    }
    if (LOOSENING_VALUES.get(name)?.includes(value)) {
      return invalid(
        'flags.loosening',
        `The flag ${name}=${value} would make governance looser. It may be ${valuesOf(name)}.`,
      )
    }
    if (!ENFORCED_VALUES.get(name)?.includes(value)) {
      return invalid('flags.unknown', `The flag ${name}=${value} is not enforced here. Enforced are ${allFlags()}.`)
    }
    flags[name] = value
  }
  return { status: 'parsed', flags }
}

function invalid(code: ErrorCode, message: string): ParsedFlags {
  return { status: 'invalid', code, message }
}

function valuesOf(name: string): string {
  return (ENFORCED_VALUES.get(name) ?? []).join(' or ')
}

function allFlags(): string {
  return [...ENFORCED_VALUES].map(([name, values]) => `${name}=${values.join('|')}`).join(', ')
}
