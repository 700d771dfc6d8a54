//! Columns and constraints that several chips share.

pub mod access;
pub mod amount;
pub mod credit;
pub mod debit;
pub mod fee;
pub mod hash;
pub mod rows;
