//! The database engine trusts what it finds in a file that was closed cleanly, and may panic
//! where somebody has changed its bytes since. Such a panic is made an error here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::StoreError;

/// Runs what touches the database. What it was working on is not used after a panic: the
/// caller gives up the transaction with the error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(StoreError::Damaged))
}
