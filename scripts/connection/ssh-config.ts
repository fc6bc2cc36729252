/** What the operator's ssh configuration says of a host. ssh itself is asked (`ssh -G`), so Include, Match and tokens mean what they mean there. */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import { completeAddress, type HostAddress, parseTypedAddress, type TypedAddress } from './host-address.ts'

/**
 * `user` is undefined when the configuration names none. `identities` are the configured private key files (none: ssh's defaults);
 * `isAgentUsed` is false with IdentitiesOnly. `proxy` is the line of a jump host or proxy command, and `via` what it means.
 */
export type SshSettings = Readonly<{
  hostName: string
  user: string | undefined
  port: number
  identities: readonly string[]
  isAgentUsed: boolean
  proxy: string | undefined
  via?: SshVia
}>

/** Through which host a host is reached, with what is configured for that one, or by which command. */
export type SshVia =
  | Readonly<{ kind: 'jump'; address: HostAddress; settings: SshSettings }>
  | Readonly<{ kind: 'command'; command: string; typedName: string }>

/** ssh prints the names of its default keys as if they were configured. */
const DEFAULT_IDENTITY = /^~\/\.ssh\/id_(rsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss|dsa)$/

/** Parses the output of `ssh -G`, a keyword and its value a line. `localUser` is the user that ssh takes when none is configured. */
export function parseSshSettings(output: string, home: string, localUser: string): SshSettings {
  const rows = output.split('\n').map((row) => {
    const end = row.indexOf(' ')
    return [row.slice(0, end), row.slice(end + 1)] as const
  })
  const values = (keyword: string) => rows.filter(([name]) => name === keyword).map(([, value]) => value)
  const first = (keyword: string) => values(keyword).find((value) => value !== 'none')
  const user = first('user')
  return {
    hostName: first('hostname') ?? '',
    user: user === localUser ? undefined : user,
    port: Number(first('port') ?? 22),
    identities: values('identityfile')
      .filter((path) => !DEFAULT_IDENTITY.test(path) && path !== 'none')
      .map((path) => path.replace(/^~(?=\/)|%d/g, home).replaceAll('%u', localUser)),
    isAgentUsed: first('identitiesonly') !== 'yes',
    proxy: ['proxyjump', 'proxycommand'].flatMap((keyword) =>
      first(keyword) ? `${keyword} ${first(keyword)}` : [],
    )[0],
  }
}

const TIMEOUT = '20s'

function unreadable(file: string, why: string): Failure {
  return new Failure({ what: `cannot read ${file}`, why, next: 'check it: ssh -G HOST' }, EXIT_CODE.usage)
}

type Environment = Pick<Invocation, 'environment'>

/** Asks ssh. Undefined without ~/.ssh/config. Throws a usage failure when ssh rejects the file. */
async function askSsh(
  { environment }: Environment,
  { user, name, port }: Pick<TypedAddress, 'user' | 'name' | 'port'>,
): Promise<SshSettings | undefined> {
  const { username, homedir } = userInfo()
  const home = environment['HOME'] ?? homedir
  const file = join(home, '.ssh', 'config')
  if (!existsSync(file)) return undefined
  const options = [
    ...(home === homedir ? [] : ['-F', file]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
  ]
  const { $ } = await import('zx')
  // What "Match exec" starts there may not end.
  const asked = await $({ quiet: true, nothrow: true, timeout: TIMEOUT })`ssh -G ${options} -- ${name}`
  if (asked.signal !== null) throw unreadable(file, `ssh -G has not answered within ${TIMEOUT}`)
  if (asked.exitCode !== 0) throw unreadable(file, asked.stderr.trim() || `ssh -G: exit code ${asked.exitCode}`)
  return parseSshSettings(asked.stdout, home, username)
}

/** A jump host behind another one, and so on: more are a circle. */
const JUMPS_MAX = 8

/**
 * Returns how the last of the jump hosts is reached: through those before it, and the first one as its own configuration says. `depth` counts those that led here.
 */
async function jumpThrough(environment: Environment, names: readonly string[], depth: number): Promise<SshVia> {
  const text = (names.at(-1) ?? '').replace(/^ssh:\/\//, '')
  if (depth >= JUMPS_MAX)
    throw new Failure(
      { what: `the jump hosts of ~/.ssh/config lead in a circle, at ${text}`, next: `check them: ssh -G ${text}` },
      EXIT_CODE.usage,
    )
  const typed = parseTypedAddress(text)
  const found = await askSsh(environment, typed)
  if (found === undefined) throw unreadable('~/.ssh/config', 'it was there, and is gone')
  const earlier = names.slice(0, -1)
  const via = await (earlier.length > 0
    ? jumpThrough(environment, earlier, depth + 1)
    : viaOf(environment, found, typed, depth + 1))
  const user = typed.user ?? found.user ?? userInfo().username
  const address = completeAddress({ ...typed, user }, found)
  return { kind: 'jump', address, settings: via === undefined ? found : { ...found, via } }
}

async function viaOf(
  environment: Environment,
  { proxy }: SshSettings,
  { name }: TypedAddress,
  depth: number,
): Promise<SshVia | undefined> {
  const [, keyword, value = ''] = /^(\S+) (.*)$/.exec(proxy ?? '') ?? []
  if (keyword === 'proxycommand') return { kind: 'command', command: value, typedName: name }
  if (keyword !== 'proxyjump') return undefined
  return await jumpThrough(environment, value.split(','), depth)
}

/**
 * Returns the settings of a host, or undefined without ~/.ssh/config; those of its jump hosts, too. Throws a usage failure when ssh rejects the file, and for
 * jump hosts that lead in a circle.
 */
export async function readSshSettings(environment: Environment, typed: TypedAddress): Promise<SshSettings | undefined> {
  const settings = await askSsh(environment, typed)
  if (settings === undefined) return undefined
  const via = await viaOf(environment, settings, typed, 0)
  return via === undefined ? settings : { ...settings, via }
}
