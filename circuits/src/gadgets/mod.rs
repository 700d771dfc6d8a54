//! Columns and constraints that several chips share.

pub mod access;
pub mod amount;
pub mod blocks;
pub mod curve;
pub mod hash;
pub mod quintic;
pub mod rows;
