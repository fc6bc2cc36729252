/** Whether a database that somebody else runs can be the one of a host: reached from there, TLS, login, version, and what its roles may do. */
import lt from 'semver/functions/lt.js'
import { formatPostgresAddress, roleOf } from '../../contract/postgres-address.ts'
import { isPrivateHost } from '../../contract/private-network.ts'
import { parseServerDatabase } from '../../contract/storage.ts'
import type { FailureText } from '../core/failure.ts'
import { type DatabaseLogin as Login, loginFailure } from './database-login.ts'
import { type DatabaseFacts, lookAtDatabase } from './database-look.ts'
import {
  type Dial,
  DialError,
  type StorageFindings,
  TlsError,
  tlsFailure,
  unreachableFailure,
  type VersionFloors,
} from './finding.ts'

/** The texts of the secrets. Without `ownerUrl` one role does everything. */
export type DatabaseSecrets = Readonly<{
  url: string
  ownerUrl?: string | undefined
  authority?: string | undefined
}>

type Looked = Readonly<{ login: Login; facts?: DatabaseFacts; problem?: FailureText }>

function loginOf(id: Login['id'], text: string): Login {
  const address = parseServerDatabase(text)
  return { id, address, where: `${formatPostgresAddress(address)} (the secret ${id})` }
}

async function ask(dial: Dial, login: Login, authority: string | undefined, role: string): Promise<Looked> {
  const { address, where, id } = login
  try {
    return { login, facts: await lookAtDatabase(dial, { address, authority, role }) }
  } catch (error) {
    const { message } = error as Error
    if (error instanceof DialError) return { login, problem: unreachableFailure(where, 'the database', id, message) }
    if (error instanceof TlsError) {
      const ways = { authority: 'database-ca', plain: '?sslmode=disable at the end of the address' }
      return { login, problem: tlsFailure(where, 'the database', message, ways) }
    }
    return { login, problem: loginFailure(login, error as Error) }
  }
}

/** What is wrong with the server, whoever logs in. */
function serverRefusals(
  { where }: Login,
  facts: DatabaseFacts,
  { atLeast, because }: VersionFloors,
): readonly FailureText[] {
  const { version, encoding, isStandby } = facts
  return [
    ...(lt(version, atLeast)
      ? [
          {
            what: `PostgreSQL ${short(version)} is too old: ${short(atLeast)} at least`,
            where,
            why: because,
            next: 'move the database to a newer server',
          },
        ]
      : []),
    ...(encoding === 'UTF8'
      ? []
      : [
          {
            what: `the database is encoded in ${encoding}`,
            where,
            why: 'texts of calls would be refused or changed',
            next: "make one with ENCODING 'UTF8'",
          },
        ]),
    ...(isStandby
      ? [
          {
            what: 'the database is a standby, which nobody can write to',
            where,
            next: 'give the address of the primary',
          },
        ]
      : []),
  ]
}

/** Who serves must not be able to change the ledger's triggers, and who migrates must be able to make tables. */
function roleRefusals(runtime: Looked, owner: Looked | undefined): readonly FailureText[] {
  const { facts, login } = runtime
  const migrating = owner ?? runtime
  const { facts: ownerFacts, login: ownerLogin } = migrating
  return [
    ...(facts?.isSuperuser === true
      ? [
          {
            what: `${facts.role} is a superuser`,
            where: login.where,
            why: 'the triggers that keep the ledger as it was written do not bind a superuser',
            next: `CREATE ROLE tappass LOGIN PASSWORD '…'   (there), and its address as database-url; docs/how-to/external-storage.md has all of it`,
          },
        ]
      : []),
    ...(ownerFacts !== undefined && !ownerFacts.isCreator && !ownerFacts.isStandby
      ? [
          {
            what: `${ownerFacts.role} may not make tables in schema public`,
            where: ownerLogin.where,
            why: 'migrations make them',
            next: `ALTER DATABASE "${ownerLogin.address.database}" OWNER TO "${ownerFacts.role}"   (there), or give the address of the role that owns it: --secret database-owner-url=FILE`,
          },
        ]
      : []),
    ...(ownerLogin.address.isPreparing && ownerFacts?.isShared !== true
      ? []
      : [
          {
            what: 'migrations need a session, and this is a pooler in transaction mode',
            where: ownerLogin.where,
            why: 'their lock is held by a session, which such a pooler hands to somebody else after each transaction',
            next: 'give the address of the database itself, or of the pooler in session mode (port 5432 at Supabase), as database-owner-url',
          },
        ]),
    ...(owner !== undefined && facts?.isShared === true && login.address.isPreparing
      ? [
          {
            what: 'this is a pooler in transaction mode, and the address does not say so',
            where: login.where,
            why: 'statements that stay prepared on a connection meet another one there',
            next: 'add ?prepare=off to the address (&prepare=off after other parameters)',
          },
        ]
      : []),
    ...(owner === undefined ? [] : pairRefusals(runtime, owner)),
  ]
}

/** What our tables hold is for nobody who has the key of a web page. */
function exposureRefusals({ facts, login }: Looked): readonly FailureText[] {
  if (facts === undefined || facts.exposedTo.length === 0) return []
  const roles = facts.exposedTo.join(', ')
  return [
    {
      what: `the web API of this database would show the tables of TapPass: ${roles} may use what ${facts.role} makes`,
      where: login.where,
      why: 'these roles are those of PostgREST (Supabase), whose public key is in every page; agents, keys and ledger would be theirs to read and change',
      next: `ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM ${roles}; REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${roles}   (there, as ${facts.role})`,
    },
  ]
}

function pairRefusals(runtime: Looked, owner: Looked): readonly FailureText[] {
  if (runtime.facts === undefined || owner.facts === undefined) return []
  const { where } = owner.login
  if (runtime.facts.role === owner.facts.role) {
    const next = 'with one role for everything leave database-owner-url out'
    return [{ what: `database-url and database-owner-url are of one role, ${owner.facts.role}`, where, next }]
  }
  if (runtime.facts.identity !== owner.facts.identity || !owner.facts.hasRole) {
    const what = 'database-url and database-owner-url are not of one database'
    return [
      { what, where, why: `the other one is ${runtime.login.where}`, next: 'give two addresses of the same database' },
    ]
  }
  return []
}

function short(version: string): string {
  return version.replace(/\.0$/, '')
}

function warningsOf(runtime: Looked, owner: Looked | undefined, { pinned }: VersionFloors): readonly FailureText[] {
  const { facts, login } = runtime
  if (facts === undefined) return []
  const { where, address } = login
  const isPlain = address.sslMode === 'disable' && !isPrivateHost(address.host)
  const isBehind =
    pinned !== undefined &&
    facts.version.split('.')[0] === pinned.atLeast.split('.')[0] &&
    lt(facts.version, pinned.atLeast)
  return [
    ...(isBehind
      ? [
          {
            what: `PostgreSQL ${short(facts.version)} is older than ${short(pinned.atLeast)}`,
            where,
            why: `${pinned.because}; a provider may have fixed it all the same`,
          },
        ]
      : []),
    ...(isPlain
      ? [
          {
            what: 'the connection to the database is not encrypted',
            where,
            why: 'its address says sslmode=disable, and is not in a private network',
            next: 'sslmode=verify-full',
          },
        ]
      : []),
    ...(owner === undefined
      ? [
          {
            what: 'one role of the database does everything',
            where,
            why: 'who serves calls could change the tables of the ledger; checkpoints outside the database would show it',
            next: 'where you can make a second role: docs/how-to/external-storage.md',
          },
        ]
      : []),
  ]
}

/** Looks at the database from the host. The secrets are well-formed. */
export async function checkDatabase(
  dial: Dial,
  secrets: DatabaseSecrets,
  floors: VersionFloors,
): Promise<StorageFindings> {
  const { url, ownerUrl, authority } = secrets
  const login = loginOf('database-url', url)
  const role = roleOf(login.address)
  const [runtime, owner] = await Promise.all([
    ask(dial, login, authority, role),
    ownerUrl === undefined ? undefined : ask(dial, loginOf('database-owner-url', ownerUrl), authority, role),
  ])
  const looked = owner === undefined ? [runtime] : [runtime, owner]
  const failed = looked.flatMap(({ problem }) => (problem === undefined ? [] : [problem]))
  const server = looked.find(({ facts }) => facts !== undefined)
  return {
    refusals: [
      ...failed,
      ...(server?.facts === undefined ? [] : serverRefusals(server.login, server.facts, floors)),
      ...roleRefusals(runtime, owner),
      ...exposureRefusals(owner ?? runtime),
    ],
    warnings: warningsOf(runtime, owner, floors),
  }
}
