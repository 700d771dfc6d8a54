//! A value that is made when it is first asked for, once.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A value that is made when it is first asked for.
///
/// Who asks while another thread makes it waits, so that a circuit is never loaded twice; a failure
/// is not kept, and the next one to ask tries again.
#[derive(Debug, Default)]
pub struct Lazy<T> {
    value: OnceLock<T>,
    making: Mutex<()>,
}

impl<T> Lazy<T> {
    /// Returns a cell without a value.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            value: OnceLock::new(),
            making: Mutex::new(()),
        }
    }

    /// Returns the value, if it is there.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Returns the value, or makes it.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get_or_try<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        // What the lock guards is in the cell: a thread that panicked has left nothing.
        let _alone = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let value = make()?;
        Ok(self.value.get_or_init(|| value))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn threads_that_ask_at_once_get_the_one_value() {
        let (cell, made) = (Lazy::new(), AtomicUsize::new(0));
        let make = || {
            thread::sleep(Duration::from_millis(20));
            Ok::<_, ()>(made.fetch_add(1, Ordering::Relaxed))
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(cell.get_or_try(make), Ok(&0)));
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn a_failure_is_not_kept() {
        let cell = Lazy::new();
        assert_eq!(cell.get_or_try(|| Err::<u8, _>("no")), Err("no"));
        assert_eq!(cell.get(), None);
        assert_eq!(cell.get_or_try(|| Ok::<_, &str>(7)), Ok(&7));
        assert_eq!(cell.get_or_try(|| Err("not asked")), Ok(&7));
    }
}
