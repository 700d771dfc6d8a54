//! The database engine trusts what it finds in a file that was closed cleanly, and may panic
//! where its bytes were changed since. Such a panic is made an error here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::StoreError;

/// Runs what touches the database. What it was working on is not used after a panic: the
/// caller gives up the transaction with the error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(StoreError::Damaged))
}

/// A handle of the engine, which may panic in closing too, if only because of a panic before.
pub(crate) struct Guarded<T>(Option<T>);

impl<T> Guarded<T> {
    pub(crate) const fn new(handle: T) -> Self {
        Self(Some(handle))
    }

    /// Only what is being dropped has no handle.
    pub(crate) fn get(&self) -> Result<&T, StoreError> {
        self.0.as_ref().ok_or(StoreError::Damaged)
    }

    pub(crate) fn get_mut(&mut self) -> Result<&mut T, StoreError> {
        self.0.as_mut().ok_or(StoreError::Damaged)
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let handle = self.0.take();
        // What has been committed is on disk; closing merely tidies up.
        let _ = guarded(|| {
            drop(handle);
            Ok(())
        });
    }
}
