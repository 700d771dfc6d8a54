//! The fleet as operators run it: a real PostgreSQL, an S3 server, and `shardfold` processes
//! that are killed, frozen and cut off. Every scenario ends in a verified proof.
//!
//! Wants Debian's packages `postgresql` and `faketime`. Outages last seconds and kills are few,
//! unless `SHARDFOLD_SCENARIOS=full` asks for a minute and for fifty, as `scripts/scenarios.sh`
//! does.

pub mod disk;
mod gate;
mod harness;
mod places;
mod postgres;
pub mod process;
mod s3;
mod scenarios;
pub mod time;
mod tls;
