/** The setting `deployUser`: the account that looks after TapPass on a host, and the keys that it logs in with. */

import * as v from 'valibot'
import { ACCOUNT } from '../../contract/unit.ts'
import { problemOfPublicKey, publicKeyLine } from './ssh-public-key.ts'

/** Accounts of programs, ours and those that Debian and Ubuntu make: with the rules of sudo they would be operators. */
const PROGRAM_ACCOUNTS: readonly string[] = [
  ...Object.values(ACCOUNT),
  ...[
    'root',
    'daemon',
    'bin',
    'sys',
    'sync',
    'games',
    'man',
    'lp',
    'mail',
    'news',
    'uucp',
    'proxy',
    'www-data',
    'backup',
    'list',
    'irc',
    'nobody',
  ],
  ...['postgres', 'redis', 'caddy', 'nginx', 'sshd', 'messagebus', 'syslog', '_apt', 'docker', 'opa', 'spire'],
]
const accountName = v.pipe(
  v.string(),
  v.regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'must be a Linux account name'),
  v.check(
    (name) => !PROGRAM_ACCOUNTS.includes(name) && !name.startsWith('systemd-'),
    'must be the account of a person or a pipeline, not of a program',
  ),
)

/** Messages say what is wrong and never what was written: it may be a private key. */
const publicKey = v.pipe(
  v.custom<string>((input) => typeof input === 'string', 'must be the line of a .pub file'),
  v.check(
    (text) => problemOfPublicKey(text) === undefined,
    ({ input }) => problemOfPublicKey(input) ?? '',
  ),
  v.transform(publicKeyLine),
)

const keyList = v.pipe(
  v.custom<unknown[]>((input) => Array.isArray(input), 'must be a list of lines of .pub files'),
  v.array(publicKey),
  v.check((lines) => new Set(lines.map((line) => line.split(' ')[1])).size === lines.length, 'names a key twice'),
)

const DEFAULT_NAME = 'gebruiker'
const withKeys = v.strictObject({ name: v.optional(accountName, DEFAULT_NAME), keys: v.optional(keyList, []) })
const nameOnly = v.pipe(
  accountName,
  v.transform((name) => ({ name, keys: [] as string[] })),
)

/** A name, or a name and the public keys that the account may log in with. */
export const deployUserSchema = v.optional(
  v.lazy((input) => (typeof input === 'string' ? nameOnly : withKeys)),
  DEFAULT_NAME,
)

/** The parsed setting. `keys` are lines of `.pub` files, each once. */
export type DeployUser = Readonly<{ name: string; keys: readonly string[] }>
