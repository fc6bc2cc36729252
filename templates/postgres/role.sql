-- Gives the database its roles; run as superuser at every start of the server, so that the passwords are the secrets'. Nothing
-- that a role of the database has made is called here: no function, view or table but those of pg_catalog.
-- The passwords come on standard input, in base64, one a line: the owner's, then the gateway's. They are kept out of the server's
-- log even if a statement fails.
\set ON_ERROR_STOP on
\set owner_password `IFS= read -r line; printf %s "$line" | base64 -d`
\set password `IFS= read -r line; printf %s "$line" | base64 -d`
SET search_path = pg_catalog;
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET client_min_messages = 'warning';

-- Calls are served as tappass, which owns nothing; tappass_owner owns the tables and migrates; tappass_backup reads everything,
-- tappass_archive copies the cluster as it stands on disk, and reads no row.
SELECT format('CREATE ROLE %I', name) FROM unnest('{tappass,tappass_owner,tappass_backup,tappass_archive}'::text[]) AS wanted (name)
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE tappass WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
ALTER ROLE tappass_owner WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE tappass_backup WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD NULL;
ALTER ROLE tappass_archive WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION NOBYPASSRLS PASSWORD NULL;
GRANT pg_read_all_data TO tappass_backup;
SELECT 'CREATE DATABASE tappass OWNER tappass_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'tappass') \gexec

\connect tappass
SET search_path = pg_catalog;
SET client_min_messages = 'warning';
-- Up to now one role did everything (or a restore made it so). The gateways of that time go on with the rights that they need,
-- until `migrate up`, as the owner, leaves those of the new release only.
SELECT EXISTS (
  SELECT FROM pg_shdepend
  WHERE refclassid = 'pg_authid'::regclass AND refobjid = 'tappass'::regrole AND deptype = 'o'
    AND (dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
      OR (classid, objid) = ('pg_database'::regclass, (SELECT oid FROM pg_database WHERE datname = current_database())))
) AS is_owned_by_the_gateway \gset
\if :is_owned_by_the_gateway
  BEGIN;
  REASSIGN OWNED BY tappass TO tappass_owner;
  GRANT USAGE, CREATE ON SCHEMA public TO tappass;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tappass;
  COMMIT;
\endif
REVOKE ALL ON DATABASE tappass FROM PUBLIC, tappass;
GRANT CONNECT ON DATABASE tappass TO tappass, tappass_backup;
