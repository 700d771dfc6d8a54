//! The queue's rules, each on SQLite, and on PostgreSQL where `SHARDFOLD_TEST_POSTGRES` names one.
