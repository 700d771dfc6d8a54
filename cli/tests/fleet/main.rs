//! The fleet as operators run it: a real PostgreSQL, an S3 server, and `shardfold` processes
//! that are killed, frozen and cut off. Every scenario ends in a verified proof.
//!
//! Wants Debian's packages `postgresql` and `faketime`. Outages last seconds and kills are few,
//! unless `SHARDFOLD_SCENARIOS=full` asks for a minute and for fifty, as `scripts/scenarios.sh`
//! does.

// Shared with the tests of the commands, which use more of it.
#[allow(dead_code)]
#[path = "../cli/common.rs"]
mod common;
mod disk;
mod fleet;
mod gate;
mod places;
mod postgres;
mod process;
mod s3;
mod scenarios;
mod time;
mod tls;
