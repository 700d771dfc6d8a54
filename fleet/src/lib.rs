//! Who proves what, where: the proof tree as jobs in a queue, on one machine or on many.
//!
//! A batch is a [`manifest`] in an object store ([`objects`]); its jobs are rows of a
//! [`queue`]; a [`worker`] takes them, proves with an [`engine`], signs with its key
//! ([`keys`]), and hands the results in. [`embedded`] is all of it in one process; [`http`] shows it.

pub mod differences;
mod digits;
pub mod embedded;
pub mod engine;
pub mod fetch;
pub mod http;
pub mod keys;
pub mod manifest;
pub mod memory;
pub mod objects;
pub mod printable;
pub mod queue;
pub mod settling;
pub mod submit;
#[cfg(test)]
mod testing;
pub mod worker;
