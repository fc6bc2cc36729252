/** The forms of settings: numbers, addresses, lists of origins and of tools. */
import * as v from 'valibot'

/** A whole number between two bounds, both included. */
export const integer = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, 'is not a whole number'),
    v.transform(Number),
    v.minValue(least, `is less than ${least}`),
    v.maxValue(most, `is more than ${most}`),
  )

/** An address with one of these protocols. */
export const url = (...protocols: readonly string[]) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `is not an address of the kind ${protocols.map((protocol) => `${protocol}//…`).join(' or ')}`,
    ),
  )

/** The address of an HTTP proxy. A user or a password in it would stand in a file, and is not sent. */
export const proxyAddress = v.pipe(
  url('http:'),
  v.check((text) => !text.includes('@'), 'has a user or a password in it'),
)

/** As browsers write one: scheme, host, and a port that is not the scheme's. */
const isOrigin = (text: string): boolean =>
  text === '*' || (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text)

/** What stands between commas. */
const items = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)

/** A list of origins with commas between, or `*`; empty for none. */
export const origins = v.pipe(
  v.string(),
  v.transform((text) => items(text.toLowerCase())),
  v.check((all) => all.every(isOrigin), 'is not a list of origins (https://app.example.com, …) or *'),
)

/** Names of tools, with commas between; `*` in one stands for any characters. Empty for none. */
export const toolPatterns = v.pipe(
  v.string(),
  v.transform(items),
  v.check(
    (all) => all.every((name) => /^[\w.:/*-]{1,128}$/.test(name)),
    'is not a list of names of tools (send_*, http)',
  ),
)
