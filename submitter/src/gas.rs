//! How much gas a settlement may take.

use thiserror::Error;

/// The most gas of a transaction (EIP-7825).
pub const CAP: u64 = 1 << 24;
/// The most bytes of a transaction that nodes pass on, without its blobs.
pub const MAX_BYTES: usize = 128 << 10;
/// The most blobs of a transaction (EIP-7594).
pub const MAX_BLOBS: usize = 6;
/// The blob gas of a blob (EIP-4844).
pub const BLOB: u64 = 1 << 17;
/// The gas of a transaction that does nothing.
const BASE: u64 = 21_000;
/// The gas of a byte of calldata that is zero, and of one that is not, at least (EIP-7623).
const FLOOR: [u64; 2] = [10, 40];
/// The gas of every byte of calldata, at least, from Amsterdam on (EIP-7976).
const FLOOR_AMSTERDAM: u64 = 64;
/// A fifth of what is needed is added: unspent gas costs nothing.
const MARGIN: u64 = 5;

/// More gas than a transaction may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "found that the settlement takes {found} gas (estimate {estimate}, floor of its calldata \
     {floor}), expected at most {CAP}: settle a smaller batch"
)]
pub struct TooMuchGas {
    /// What it takes.
    pub found: u64,
    /// What the node has estimated.
    pub estimate: u64,
    /// What its bytes cost at least.
    pub floor: u64,
}

/// Returns what a transaction with this calldata costs at least, whatever it does.
#[must_use]
pub fn floor(data: &[u8], is_amsterdam: bool) -> u64 {
    let of_byte = |byte: &u8| match (is_amsterdam, *byte) {
        (true, _) => FLOOR_AMSTERDAM,
        (false, 0) => FLOOR[0],
        (false, _) => FLOOR[1],
    };
    BASE + data.iter().map(of_byte).sum::<u64>()
}

/// Returns the gas limit of a transaction, with a margin.
///
/// # Errors
/// If it takes more than a transaction may have.
pub fn limit(estimate: u64, floor: u64) -> Result<u64, TooMuchGas> {
    let found = estimate.max(floor);
    if found > CAP {
        return Err(TooMuchGas {
            found,
            estimate,
            floor,
        });
    }
    Ok((found + found / MARGIN).min(CAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_that_of_the_fork() {
        let data = [0, 1, 2, 0];
        assert_eq!(floor(&data, false), 21_000 + 2 * 10 + 2 * 40);
        assert_eq!(floor(&data, true), 21_000 + 4 * 64);
    }

    #[test]
    fn the_limit_has_a_margin_and_stays_below_the_cap() {
        assert_eq!(limit(100_000, 50_000), Ok(120_000));
        assert_eq!(limit(50_000, 100_000), Ok(120_000));
        assert_eq!(limit(CAP, 0), Ok(CAP));
        let error = limit(CAP, CAP + 1).expect_err("it is over the cap");
        assert!(error.to_string().contains("16777216"), "{error}");
    }
}
