//! Columns and constraints that several chips share.

pub mod blocks;
pub mod curve;
pub mod quintic;
pub mod access;
pub mod amount;
pub mod credit;
pub mod debit;
pub mod fee;
pub mod hash;
pub mod rows;
