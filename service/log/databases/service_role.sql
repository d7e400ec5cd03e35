-- Makes the role of the service in a new PostgreSQL container: mounted into /docker-entrypoint-initdb.d, it is run once,
-- by psql as the owner, when the empty database is made. What the role may do is granted after the tables are there
-- (python -m service database grant). SERVICE_PASSWORD_FILE names the file with its password.
\set ON_ERROR_STOP on
\getenv file SERVICE_PASSWORD_FILE
\set password `cat :'file'`
-- Empty, too, where the file cannot be read. Without a password the role would be made all the same, for nobody to use.
SELECT :'password' = '' AS is_empty \gset
\if :is_empty
  DO $$ BEGIN RAISE EXCEPTION 'the file that SERVICE_PASSWORD_FILE names is empty or cannot be read'; END $$;
\endif
CREATE ROLE grounds_service LOGIN PASSWORD :'password';
