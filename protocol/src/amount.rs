//! Bounds on what is counted.

/// Amounts and balances are below 2^62, so that no sum of two wraps the field.
pub const AMOUNT_BITS: u32 = 62;
/// The first integer that is too large for an amount or a balance.
pub const AMOUNT_LIMIT: u64 = 1 << AMOUNT_BITS;
/// Fees are below 2^46, so that the fees of a whole shard add up to less than an amount may be.
pub const FEE_BITS: u32 = 46;
/// The first integer that is too large for a fee.
pub const FEE_LIMIT: u64 = 1 << FEE_BITS;

const _: () = assert!(
    FEE_BITS + crate::shape::MAX_LOG_TRANSACTIONS <= AMOUNT_BITS,
    "the fees of a shard must stay below an amount"
);
