/** The address of a Redis over a network, as the toolkit looks at it; the gateway's client reads the same text. */

/** `isEncrypted`: TLS, with a certificate that is checked. */
export type RedisAddress = Readonly<{
  host: string
  port: number
  user: string | undefined
  password: string | undefined
  isEncrypted: boolean
}>

/** Parses `redis[s]://[[user:]password@]host[:port][/0]`. Throws Error with a sentence that never holds the password. */
export function parseRedisAddress(text: string): RedisAddress {
  if (!/^rediss?:\/\//.test(text)) throw new Error('it has to begin with rediss:// or redis://')
  const url = URL.parse(text)
  if (url === null || url.hostname === '')
    throw new Error('it is not an address: rediss://USER:PASSWORD@HOST:PORT (special characters as %…)')
  if (!/^\/?\d{0,4}$/.test(url.pathname)) throw new Error('after the port stands the number of a database, or nothing')
  if (url.search !== '' || url.hash !== '') throw new Error('it has parameters, of which none is known')
  const port = Number(url.port === '' ? '6379' : url.port)
  if (port < 1) throw new Error('the port has to be 1 to 65535')
  return {
    host: decodeURIComponent(url.hostname).replace(/^\[|\]$/g, ''),
    port,
    user: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    isEncrypted: url.protocol === 'rediss:',
  }
}
