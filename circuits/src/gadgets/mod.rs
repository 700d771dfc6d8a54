//! Columns and constraints that several chips share.

pub mod access;
pub mod amount;
pub mod blocks;
pub mod credit;
pub mod curve;
pub mod debit;
pub mod fee;
pub mod hash;
pub mod quintic;
pub mod rows;
