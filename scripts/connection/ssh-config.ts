/** What the operator's ssh configuration says of a host. ssh itself is asked (`ssh -G`), so Include, Match and tokens mean what they mean there. */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import type { TypedAddress } from './host-address.ts'

/**
 * `user` is undefined when the configuration names none. `identities` are the configured private key files (none: ssh's defaults);
 * `isAgentUsed` is false with IdentitiesOnly. `proxy` is the line of a jump host or proxy command.
 */
export type SshSettings = Readonly<{
  hostName: string
  user: string | undefined
  port: number
  identities: readonly string[]
  isAgentUsed: boolean
  proxy: string | undefined
}>

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

/**
 * Returns the settings of a host, or undefined without ~/.ssh/config. Throws a usage failure when ssh rejects the file, and for a host
 * behind a jump host or proxy command.
 */
export async function readSshSettings(
  { environment }: Pick<Invocation, 'environment'>,
  { text, user, name, port }: TypedAddress,
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
  const settings = parseSshSettings(asked.stdout, home, username)
  if (settings.proxy === undefined) return settings
  throw new Failure(
    {
      what: `cannot connect to ${text} through another host`,
      where: file,
      why: `it says "${settings.proxy}" for this host; jump hosts and proxy commands are not supported`,
      next: `run tappass on a machine that reaches ${settings.hostName} directly, or forward a port: ssh -L 2222:localhost:22 ${name}`,
    },
    EXIT_CODE.usage,
  )
}
