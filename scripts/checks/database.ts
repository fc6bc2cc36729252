/** PostgreSQL: its roles, its schema, and whether its pages and transactions are sound. */
import { OWN_ROLES, ROLE } from '../../contract/database-role.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { fail, none, ofContainer, ok, type Seen, skip, type Topic, type Verdict, warn } from '../diagnosis/check.ts'

/** As superuser only what is in pg_catalog is called: whatever a role of the database has made would run with its rights. */
const SQL = [
  'SET search_path = pg_catalog',
  `SELECT 'superuser ' || rolname FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'`,
  `SELECT 'may-create ' || rolname FROM pg_roles WHERE (rolcreaterole OR rolcreatedb OR rolbypassrls OR (rolreplication AND rolname <> '${ROLE.archive}')) AND rolname LIKE 'tappass%'`,
  `SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE 'tappass%'`,
  `SELECT 'checksum-failures ' || coalesce(sum(checksum_failures), 0) FROM pg_stat_database`,
  `SELECT 'connections ' || count(*) || ' ' || current_setting('max_connections') FROM pg_stat_activity`,
  `SELECT 'transactions-age ' || max(age(datfrozenxid)) FROM pg_database`,
  `SELECT 'waiting ' || pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND now() - state_change > interval '10 minutes'`,
  `SELECT 'server ' || current_setting('server_version_num')`,
].join('; ')

/** What roles have made is read with the rights of the backup, which may read and nothing else. */
const MIGRATIONS = `SELECT 'migration ' || lpad(version::text, 3, '0') || '_' || name || '.sql' FROM public.schema_migrations`

function psql(user: string, sql: string): string {
  return `echo '${sql.replaceAll("'", `'\\''`)}' | timeout 10 docker exec --interactive tappass-postgres psql --no-psqlrc --quiet --tuples-only --no-align \\\n  --host /tappass/run --username ${user} --dbname tappass`
}

const PROBE = String.raw`
${psql('postgres', SQL)} && echo postgres yes
${psql(ROLE.reader, MIGRATIONS)}
ls ${HOST_PATH.currentRelease}/migrations | sed -n 's/^\([0-9]*_.*\.sql\)$/release-migration \1/p'
cat ${HOST_PATH.postgresCluster}/PG_VERSION | sed 's/^/cluster /'
[ -e ${HOST_PATH.postgresCluster} ] || sed 's/^/had /' ${HOST_PATH.clusterMarker}`

const TRANSACTIONS_MAX = 1_500_000_000

/** Of what only the database can say. */
function asked(seen: Seen, judge: () => Verdict): Verdict {
  return seen.probe.one('postgres') === 'yes' ? judge() : skip('the database does not answer')
}

/** The database. */
export const database: Topic = {
  name: 'database',
  probe: PROBE,
  checks: ofContainer('database', [
    {
      id: 'database.postgres',
      what: 'the database answers',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('postgres') === 'yes' ? ok() : fail('no answer', 'tappass logs postgres --lines 50'),
    },
    {
      id: 'database.roles',
      what: 'the roles of the database are there',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () =>
          none(
            OWN_ROLES.filter((name) => !seen.probe.all('role').includes(name)),
            (names) => fail(`missing: ${names}`, 'tappass bootstrap'),
          ),
        ),
    },
    {
      id: 'database.superuser',
      what: 'no role but the server’s own is a superuser',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () =>
          none(seen.probe.all('superuser'), (names) =>
            fail(
              `superusers: ${names}; the ledger’s triggers do not bind them`,
              'ALTER ROLE … NOSUPERUSER, in docker exec tappass-postgres psql   (on the host)',
            ),
          ),
        ),
    },
    {
      id: 'database.privileges',
      what: 'our roles may make no roles and no databases',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () =>
          none(seen.probe.all('may-create'), (names) =>
            fail(
              `more rights than they need: ${names}`,
              'ALTER ROLE … NOCREATEROLE NOCREATEDB NOBYPASSRLS NOREPLICATION, in psql   (on the host)',
            ),
          ),
        ),
    },
    {
      id: 'database.schema',
      what: 'the schema is that of the release in force',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () => {
          const [applied, known] = [seen.probe.all('migration'), seen.probe.all('release-migration')]
          const pending = known.filter((file) => !applied.includes(file))
          if (pending.length > 0) return fail(`not run yet: ${pending.join(', ')}`, 'tappass migrate status')
          return none(
            applied.filter((file) => !known.includes(file)),
            (names) =>
              fail(`of a later release: ${names}`, 'tappass bootstrap, from a clone of that release or a later one'),
          )
        }),
    },
    {
      id: 'database.checksums',
      what: 'the database has read no damaged page',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () =>
          seen.probe.number('checksum-failures') > 0
            ? fail(
                `${seen.probe.one('checksum-failures')} damaged pages: the disk is failing`,
                'docs/how-to/backup.md: bring the last backup to another machine',
              )
            : ok(),
        ),
    },
    {
      id: 'database.connections',
      what: 'connections to the database are left',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () => {
          const [used, most] = seen.probe.one('connections').split(' ').map(Number) as [number, number]
          return used > most * 0.8
            ? warn(`${used} of ${most} are used`, 'postgres.maxConnections in host.yaml, or fewer instances')
            : ok()
        }),
    },
    {
      id: 'database.transactions',
      what: 'old transactions are cleaned up',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () =>
          seen.probe.number('transactions-age') > TRANSACTIONS_MAX
            ? fail(
                'the oldest is 1,500,000,000 transactions old: the server stops at 2,000,000,000',
                'VACUUM FREEZE, in docker exec tappass-postgres psql   (on the host)',
              )
            : ok(),
        ),
    },
    {
      id: 'database.waiting',
      what: 'nobody keeps a transaction open',
      isInstalled: true,
      judge: (seen) =>
        asked(seen, () =>
          none(seen.probe.all('waiting'), (pids) =>
            warn(
              `idle in a transaction for ten minutes: ${pids}`,
              'SELECT * FROM pg_stat_activity, in psql   (on the host)',
            ),
          ),
        ),
    },
    {
      id: 'database.cluster',
      what: 'the data are there, and of the server’s version',
      isInstalled: true,
      judge: (seen) => {
        const [had] = seen.probe.all('had')
        if (had !== undefined)
          return fail(
            `there is no ${HOST_PATH.postgresCluster}, and there was a database of PostgreSQL ${had}`,
            'mount the disk that it is on, or docs/how-to/backup.md#a-database-that-is-gone',
          )
        return asked(seen, () => {
          const major = Math.floor(seen.probe.number('server') / 10_000)
          return seen.probe.number('cluster') === major
            ? ok()
            : fail(`data of ${seen.probe.one('cluster')}, server of ${major}`, 'docs/how-to/backup.md')
        })
      },
    },
  ]),
}
