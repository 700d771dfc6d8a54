//! What can be wrong with the input of a trace generator.

use thiserror::Error;

/// A shard's witness from which no trace can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// A chip needs more rows than its shape has.
    #[error("chip {chip} needs {rows} rows, its height is 2^{log_height}")]
    TooManyRows {
        /// Name of the chip.
        chip: &'static str,
        /// Rows needed.
        rows: usize,
        /// log2 of the rows there are.
        log_height: usize,
    },
}

impl TraceError {
    /// Refuses more rows than fit.
    ///
    /// # Errors
    ///
    /// [`TraceError::TooManyRows`] if `rows` is above `2^log_height`.
    pub fn check_rows(chip: &'static str, rows: usize, log_height: usize) -> Result<(), Self> {
        if rows > 1 << log_height {
            return Err(Self::TooManyRows {
                chip,
                rows,
                log_height,
            });
        }
        Ok(())
    }
}
