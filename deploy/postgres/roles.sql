-- The database of a fleet and its three roles, before the first use. As a superuser:
--   SHARDFOLD_PASSWORDS=secrets psql -f roles.sql
-- where that folder has the files operator_password, worker_password and observer_password.
-- A role whose file is missing cannot log in. Then grants.sql, once the tables are there.
\set ON_ERROR_STOP on
\set operator_password `cat "${SHARDFOLD_PASSWORDS:-/run/secrets}/operator_password"`
\set worker_password `cat "${SHARDFOLD_PASSWORDS:-/run/secrets}/worker_password"`
\set observer_password `cat "${SHARDFOLD_PASSWORDS:-/run/secrets}/observer_password"`

-- Owns the tables: submits, registers, retries, cancels, deletes.
CREATE ROLE shardfold_operator LOGIN PASSWORD :'operator_password';
-- Claims, heartbeats, completes.
CREATE ROLE shardfold_worker LOGIN PASSWORD :'worker_password';
-- Looks: the dashboard, `status`, `explain`, autoscaling.
CREATE ROLE shardfold_observer LOGIN PASSWORD :'observer_password';

CREATE DATABASE shardfold OWNER shardfold_operator;
REVOKE ALL ON DATABASE shardfold FROM PUBLIC;
GRANT CONNECT ON DATABASE shardfold TO shardfold_worker, shardfold_observer;
