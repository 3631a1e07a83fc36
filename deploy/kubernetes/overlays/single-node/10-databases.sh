#!/bin/sh
# Makes the databases of both companies, each with an owner of its own, in a new PostgreSQL. The superuser owns neither.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set owner_password `sed -E 's#^[a-z]+://[^:]+:([^@]+)@.*#\1#' /run/secrets/owner_database_url`
\set onboarding_password `sed -E 's#^[a-z]+://[^:]+:([^@]+)@.*#\1#' /run/secrets/onboarding_database_url`
-- The maintenance portal's owner makes the roles of the services.
CREATE ROLE sms LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE DATABASE maintenance OWNER sms ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE maintenance FROM PUBLIC;
-- The onboarding portal is another company's system: it has a database of its own.
CREATE ROLE onboarding LOGIN PASSWORD :'onboarding_password';
CREATE DATABASE onboarding OWNER onboarding ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE onboarding FROM PUBLIC;
-- Nobody but the superuser has anything to do in the others.
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL
