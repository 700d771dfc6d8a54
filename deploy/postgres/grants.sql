-- What workers and observers may do with the tables, and nothing else. As shardfold_operator in the fleet's
-- database, when the tables are there (`register` and `submit` make them), and after each update:
--   psql -f grants.sql postgres://shardfold_operator@HOST/shardfold
\set ON_ERROR_STOP on
BEGIN;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, shardfold_worker, shardfold_observer;
GRANT SELECT ON fleet, circuits, workers, instances, batches, jobs, attempts
    TO shardfold_worker, shardfold_observer;

-- A worker process says that it is there.
GRANT INSERT, UPDATE (seen, left_at) ON instances TO shardfold_worker;
-- It takes a job, keeps it, gives it back or hands in its result, and so frees the job's parent.
GRANT UPDATE (state, missing, attempt, failures, instance, not_before, started, lease, deadline,
    result, signer, signature, took, finished) ON jobs TO shardfold_worker;
GRANT INSERT, UPDATE (ended, outcome, reason) ON attempts TO shardfold_worker;
-- The last job's result is the batch's.
GRANT UPDATE (state, finished, proof) ON batches TO shardfold_worker;
-- Who finds a result false tells on the one who signed it.
GRANT UPDATE (strikes) ON workers TO shardfold_worker;

COMMIT;
