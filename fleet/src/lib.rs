//! Who proves what, where: the proof tree as jobs, here in one process.

mod digits;
pub mod keys;
pub mod local;
pub mod objects;
pub mod queue;
#[cfg(test)]
mod testing;
