//! The queue: which jobs there are, and who holds them.

pub mod view;
