/** The setting `proxy`: the HTTP proxy through which a host reaches others, and for which of them it is not used. */
import { isIPv6 } from 'node:net'
import * as v from 'valibot'

const address = v.pipe(
  v.string(),
  v.regex(/^http:\/\/[^\s'"\\%]+$/, 'must be the address of an HTTP proxy, such as http://proxy.example.com:3128'),
  // It is written to files that everybody on the host may read, and there is no way to say it otherwise.
  v.check(
    (text) => !text.includes('@'),
    'must not hold a user or a password: let the proxy know the host by its address',
  ),
  v.check((text) => URL.canParse(text) && /^\/?$/.test(new URL(text).pathname), 'must be an address without a path'),
)
const exception = v.pipe(
  v.string(),
  v.regex(/^\.?[A-Za-z0-9_:-]+(\.[A-Za-z0-9_-]+)*$/, 'must be a host name, a domain or an address, without wildcards'),
)

/** `https` and `http` are the proxies for addresses of these schemes; `except` are hosts, domains and addresses that are reached without. */
export const proxySchema = v.optional(
  v.strictObject({
    https: v.optional(address),
    http: v.optional(address),
    except: v.optional(v.array(exception), []),
  }),
  {},
)

/** The parsed setting. */
export type ProxySpec = v.InferOutput<typeof proxySchema>

/** Never over a proxy: what is on the host itself. */
const LOCAL = ['localhost', '127.0.0.1', '::1'] as const

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}

/** Returns the proxy through which an address is reached; undefined: none. A name in `except` stands for all below it, too. */
export function proxyFor({ https, http, except }: ProxySpec, url: string): string | undefined {
  const host = hostOf(url)
  const isExcepted = [...LOCAL, ...except].some((entry) => {
    const name = entry.replace(/^\./, '').toLowerCase()
    return host === name || (!isIPv6(host) && host.endsWith(`.${name}`))
  })
  if (isExcepted) return undefined
  return url.startsWith('https:') ? https : http
}

/** Whether any proxy is set. */
export function hasProxy({ https, http }: ProxySpec): boolean {
  return https !== undefined || http !== undefined
}

/** Returns the variables as programs know them (`HTTPS_PROXY=…`), none where there is no proxy. */
export function proxyVariables(proxy: ProxySpec): readonly string[] {
  if (!hasProxy(proxy)) return []
  return [
    ...(proxy.https === undefined ? [] : [`HTTPS_PROXY=${proxy.https}`]),
    ...(proxy.http === undefined ? [] : [`HTTP_PROXY=${proxy.http}`]),
    `NO_PROXY=${[...LOCAL, ...proxy.except].join(',')}`,
  ]
}

/** Returns the lines of a unit that tell Node of a proxy: the variables, and one that says to heed them. */
export function nodeProxyLines(proxy: ProxySpec): readonly string[] {
  const variables = proxyVariables(proxy)
  return variables.length === 0 ? [] : [...variables, 'NODE_USE_ENV_PROXY=1'].map((each) => `Environment="${each}"`)
}

/** Returns apt's settings. Apt knows hosts only: of a domain, its name is meant and nothing below it. */
export function aptProxyText(proxy: ProxySpec): string {
  const lines = (['https', 'http'] as const).flatMap((scheme) => {
    const found = proxy[scheme]
    if (found === undefined) return []
    const direct = proxy.except.map((entry) => `Acquire::${scheme}::Proxy::${entry.replace(/^\./, '')} "DIRECT";`)
    return [`Acquire::${scheme}::Proxy "${found}";`, ...direct]
  })
  return ['// The proxy of host.yaml. Laid down by the toolkit; edits are undone at its next run.', ...lines, ''].join(
    '\n',
  )
}
