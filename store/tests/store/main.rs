//! The database as its users see it.

mod batches;
mod common;
mod damage;
mod folders;
