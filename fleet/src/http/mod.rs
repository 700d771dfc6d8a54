//! What a fleet shows over HTTP: metrics for Prometheus, health, and a page for people.

pub mod metrics;
pub mod process;
pub mod serve;

#[cfg(test)]
mod tests;
