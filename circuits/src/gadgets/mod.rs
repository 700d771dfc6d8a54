//! Columns and constraints that several chips share.

pub mod blocks;
pub mod curve;
pub mod quintic;
