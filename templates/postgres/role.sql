-- Gives the gateway its role and its database; run at every start of the server, so that the role's password is the secret's.
-- The password comes on standard input and is kept out of the server's log even if a statement fails.
\set ON_ERROR_STOP on
\set password `cat`
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET client_min_messages = 'warning';
SELECT 'CREATE ROLE tappass' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tappass') \gexec
ALTER ROLE tappass WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
SELECT 'CREATE DATABASE tappass OWNER tappass' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'tappass') \gexec
