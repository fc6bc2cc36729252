/** Whether a Redis that somebody else runs can be the one of a host: reached from there, TLS, login, version, and the commands that the gateway uses. */
import type { Duplex } from 'node:stream'
import { Redis } from 'ioredis'
import lt from 'semver/functions/lt.js'
import { isPrivateHost } from '../../contract/private-network.ts'
import { parseRedisAddress, type RedisAddress } from '../../contract/redis-address.ts'
import type { FailureText } from '../core/failure.ts'
import {
  type Dial,
  DialError,
  dialled,
  NOTHING_FOUND,
  type StorageFindings,
  secured,
  TlsError,
  tlsFailure,
  unreachableFailure,
  type VersionFloors,
} from './finding.ts'

/** The texts of the secrets. */
export type RedisSecrets = Readonly<{ url: string; authority?: string | undefined }>

const TIMEOUT_MS = 15_000

/** What the gateway does, on a key like its own that is gone after a moment. */
const SCRIPT = `redis.call('SET', KEYS[1], '1', 'PX', 1000) return redis.call('GET', KEYS[1])`
const KEY = 'rl:tappass-preflight'
const RULES = '~rl:* resetchannels -@all +ping +eval +evalsha +get +set'

/** Hands ioredis a stream that is there already, instead of connecting by itself. */
function connectorOf(stream: Duplex) {
  const missing = { setNoDelay: () => stream, setKeepAlive: () => stream, setTimeout: () => stream }
  return class {
    readonly firstError = undefined
    readonly stream = Object.assign(stream, missing)
    check(): boolean {
      return true
    }
    async connect(): Promise<Duplex> {
      return this.stream
    }
    disconnect(): void {
      this.stream.end()
    }
  }
}

/** The pairs of HELLO's answer: server, version, mode, role … */
function pairsOf(answer: unknown): Readonly<Record<string, unknown>> {
  const list = Array.isArray(answer) ? answer : []
  return Object.fromEntries(list.flatMap((each, index) => (index % 2 === 0 ? [[String(each), list[index + 1]]] : [])))
}

/** Logs in and does what the gateway does. Throws `DialError`, `TlsError`, or what Redis says. */
async function lookAtRedis(
  dial: Dial,
  { host, port, user, password, isEncrypted }: RedisAddress,
  authority: string | undefined,
) {
  const plain = await dialled(dial, host, port)
  const stream = isEncrypted ? await secured(plain, { host, authority }) : plain
  const redis = new Redis({
    Connector: connectorOf(stream) as never,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...{ lazyConnect: true, enableReadyCheck: false, disableClientInfo: true, enableOfflineQueue: false },
    ...{ maxRetriesPerRequest: 0, commandTimeout: TIMEOUT_MS, retryStrategy: () => null },
  })
  // A login that is refused is told by an event, and whoever connected waits on.
  const failed = new Promise<never>((_, reject) => redis.on('error', reject))
  failed.catch(() => undefined)
  const ask = async <T>(work: Promise<T>): Promise<T> => await Promise.race([work, failed])
  try {
    await ask(redis.connect())
    await ask(redis.ping())
    const about = pairsOf(await ask(redis.call('HELLO')).catch(() => undefined))
    await ask(redis.eval(SCRIPT, 1, KEY))
    return about
  } finally {
    redis.disconnect()
    plain.destroy()
  }
}

function askedFailure(where: string, error: Error, { user }: RedisAddress): FailureText {
  const why = error.message
  const give = 'tappass bootstrap --secret redis-url=FILE'
  if (/^(WRONGPASS|NOAUTH|ERR (invalid password|AUTH))/.test(why))
    return { what: 'Redis refuses the login', where, why, next: `give the right user and password: ${give}` }
  if (/NOPERM|can't run this command|No permissions/i.test(why))
    return {
      what: 'Redis does not allow what the gateway does',
      where,
      why,
      next: `ACL SETUSER ${user ?? 'default'} ${RULES}   (there)`,
    }
  if (/MOVED|CROSSSLOT|CLUSTERDOWN/.test(why)) return clusterFailure(where)
  if (/READONLY/.test(why)) return replicaFailure(where)
  return {
    what: 'Redis could not be asked',
    where,
    why,
    next: `check the address (rediss:// where it speaks TLS); then ${give}`,
  }
}

function clusterFailure(where: string): FailureText {
  const why = 'counters of one call lie on several of its nodes, and are counted together'
  return { what: 'this Redis is a cluster', where, why, next: 'give one that is not in cluster mode' }
}

function replicaFailure(where: string): FailureText {
  return { what: 'this Redis is a replica, which nobody can write to', where, next: 'give the address of its primary' }
}

function judge(where: string, about: Readonly<Record<string, unknown>>, floors: VersionFloors): StorageFindings {
  const { server = 'redis', version, mode, role } = about
  const known = typeof version === 'string' && /^\d+\.\d+\.\d+$/.test(version) ? version : undefined
  const { atLeast, because, pinned } = floors
  const refusals = [
    ...(known === undefined
      ? [
          {
            what: 'Redis does not say which version it is',
            where,
            why: 'it does not know HELLO, which came with 6.0',
            next: `take Redis ${atLeast} or newer`,
          },
        ]
      : lt(known, atLeast)
        ? [{ what: `Redis ${known} is too old: ${atLeast} at least`, where, why: because, next: 'take a newer one' }]
        : []),
    ...(mode === 'cluster' ? [clusterFailure(where)] : []),
    ...(role === 'replica' || role === 'slave' ? [replicaFailure(where)] : []),
  ]
  const isBehind = known !== undefined && pinned !== undefined && server === 'redis' && lt(known, pinned.atLeast)
  const why = `${pinned?.because}; a provider may have fixed it all the same`
  return {
    refusals,
    warnings: isBehind ? [{ what: `Redis ${known} is older than ${pinned.atLeast}`, where, why }] : [],
  }
}

/** Looks at Redis from the host. The secrets are well-formed. */
export async function checkRedis(
  dial: Dial,
  { url, authority }: RedisSecrets,
  floors: VersionFloors,
): Promise<StorageFindings> {
  const address = parseRedisAddress(url)
  const where = `Redis at ${address.host}:${address.port} (the secret redis-url)`
  const isPlain = !address.isEncrypted && !isPrivateHost(address.host)
  try {
    const found = judge(where, await lookAtRedis(dial, address, authority), floors)
    const why = 'its address begins with redis:, and is not in a private network'
    const warning = { what: 'the connection to Redis is not encrypted', where, why, next: 'rediss://' }
    return isPlain ? { ...found, warnings: [...found.warnings, warning] } : found
  } catch (error) {
    const { message } = error as Error
    if (error instanceof DialError)
      return { ...NOTHING_FOUND, refusals: [unreachableFailure(where, 'Redis', 'redis-url', message)] }
    const ways = { authority: 'redis-ca', plain: 'redis:// instead of rediss://' }
    if (error instanceof TlsError) return { ...NOTHING_FOUND, refusals: [tlsFailure(where, 'Redis', message, ways)] }
    return { ...NOTHING_FOUND, refusals: [askedFailure(where, error as Error, address)] }
  }
}
