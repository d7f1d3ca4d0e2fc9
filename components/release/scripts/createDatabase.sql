-- A database of one more app on the cluster. Safe to run again: one that an app left behind is taken up as it is.
\set QUIET on
SET client_min_messages = warning;
SELECT format('CREATE DATABASE %I', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec

-- Anybody may connect to a new database; the logins of the other apps shall not.
REVOKE CONNECT, TEMPORARY ON DATABASE :"database" FROM PUBLIC;
