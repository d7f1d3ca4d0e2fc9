-- Tables belong to a role that nobody logs in as; two logins alternate, so that a new password never locks out the
-- release that runs. Safe to run again. The admin may create roles but is no superuser.
\set QUIET on
SET client_min_messages = warning;
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('slipway roles')) \g /dev/null

SELECT format('CREATE ROLE %I NOLOGIN', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec

-- Since PostgreSQL 16 whoever made a role may grant it but does not inherit it; both are needed below.
SELECT format('GRANT %I TO CURRENT_USER', :'owner')
WHERE NOT pg_has_role(current_user, :'owner', 'USAGE') \gexec

SELECT format('CREATE ROLE %I LOGIN', login)
FROM unnest(ARRAY[:'login_a', :'login_b']) AS login
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) \gexec

-- The server gets the hash, never the password: a statement may end up in its log.
ALTER ROLE :"login_a" LOGIN PASSWORD :'verifier_a';
ALTER ROLE :"login_b" LOGIN PASSWORD :'verifier_b';
-- A password that was given up. Whoever is connected with it would be locked out at the next connection.
SELECT coalesce(bool_or(usename = :'closed'), false) AS closed_in_use FROM pg_stat_activity \gset
\if :closed_in_use
  DO $$ BEGIN RAISE EXCEPTION 'the login to be closed is still connected: count loginGeneration up, update, and close the one before with the next update'; END $$;
\endif
SELECT format('ALTER ROLE %I NOLOGIN PASSWORD NULL', :'closed') WHERE :'closed' <> '' \gexec
GRANT :"owner" TO :"login_a", :"login_b";
-- What a login makes belongs to the owner from the start.
ALTER ROLE :"login_a" SET role = :'owner';
ALTER ROLE :"login_b" SET role = :'owner';

SELECT format('ALTER DATABASE %I OWNER TO %I', datname, :'owner')
FROM pg_database
WHERE datname = :'database' AND datdba <> (SELECT oid FROM pg_roles WHERE rolname = :'owner') \gexec

-- Since PostgreSQL 15 `public` belongs to whoever owns the database; before, everybody may create in it. Neither holds
-- in a database that somebody restored or hardened.
SELECT format('ALTER SCHEMA public OWNER TO %I', :'owner')
FROM pg_namespace
WHERE nspname = 'public' AND NOT has_schema_privilege(:'owner', oid, 'CREATE') \gexec

SELECT format('CREATE EXTENSION IF NOT EXISTS %I', extension)
FROM unnest(string_to_array(:'extensions', ',')) AS extension \gexec
COMMIT;

-- The receipt. The active login is told apart by its name only.
SELECT json_build_object(
  'result', 'ready',
  'database', current_database(),
  'server', current_setting('server_version'),
  'owner', :'owner',
  'active', :'active',
  'extensions', (SELECT json_agg(extname ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'));
