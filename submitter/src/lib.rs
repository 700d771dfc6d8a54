#![doc = include_str!("../README.md")]

pub mod anvil;
pub mod beacon;
pub mod checks;
pub mod contract;
pub mod deploy;
pub mod endpoints;
pub mod gas;
pub mod journal;
pub mod key;
pub mod logs;
pub mod place;
pub mod settle;
pub mod snapshot;
pub mod waiting;
