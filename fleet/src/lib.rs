//! Who proves what, where: the proof tree as jobs, here in one process.

pub mod http;
pub mod local;
pub mod queue;
