//! What tests run on: servers of their own, and batches.

pub mod batch;
pub mod postgres;
mod programs;
mod s3;

pub use s3::S3Server;
