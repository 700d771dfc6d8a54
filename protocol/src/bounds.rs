//! What the numbers of records are below: rules write no others and rely on it, so a state that comes
//! from a file must keep to it too.

use p3_field::PrimeField64;
use thiserror::Error;

use crate::amount::AMOUNT_LIMIT;
use crate::head::TIME_LIMIT;
use crate::record::{
    Index, KIND_MARKET, KIND_PAYOUT, KIND_POOL, KIND_POSITION, KIND_PRICE, KIND_TERMS, Record,
};

/// One more than the highest index.
const INDICES: u64 = 1 << 32;
/// Supplied and borrowed assets of a market.
const ASSETS: u64 = 1 << 61;
/// Shares of a market; so many more count for nobody.
const SHARES: u64 = AMOUNT_LIMIT - 1_024;
/// Any element.
const ANY: Bounds = (0, u64::MAX);

/// The least value, and one more than the highest.
type Bounds = (u64, u64);

/// A number of a record that no rule would have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BoundsError {
    /// A number out of its bounds.
    #[error(
        "the {kind} at index {index} has {found} as its element {element}, expected {least} to {most}"
    )]
    Number {
        /// What the record is.
        kind: &'static str,
        /// Where it lies.
        index: Index,
        /// Which of its eight elements.
        element: usize,
        /// The number found.
        found: u64,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// A pool of one asset.
    #[error("the pool at index {index} has asset {asset} on both sides, expected two assets")]
    OneAsset {
        /// Where it lies.
        index: Index,
        /// The asset.
        asset: u64,
    },
    /// A market that lent more than it has.
    #[error("the market at index {index} has {found} as its {what}, expected at most {most}")]
    Market {
        /// Where it lies.
        index: Index,
        /// Which number.
        what: &'static str,
        /// The number found.
        found: u64,
        /// The most that it may be.
        most: u64,
    },
}

/// The name of a kind, and the bounds of the elements after it.
const fn bounds(kind: u64) -> Option<(&'static str, [Bounds; 7])> {
    let amount = (0, AMOUNT_LIMIT);
    let index = (0, INDICES);
    let time = (0, TIME_LIMIT);
    Some(match kind {
        KIND_POOL => {
            let reserve = (1, AMOUNT_LIMIT);
            let (shares, fee, mode) = ((1_000, AMOUNT_LIMIT), (0, 100_001), (0, 1));
            (
                "pool",
                [amount, amount, reserve, reserve, shares, fee, mode],
            )
        }
        KIND_MARKET => {
            let (assets, shares) = ((0, ASSETS), (0, SHARES));
            (
                "market",
                [assets, shares, assets, shares, time, amount, shares],
            )
        }
        KIND_TERMS => {
            let (ratio, bonus) = ((1, 980_001), (1_000_000, 1_150_001));
            let (scale, rates) = ((1, AMOUNT_LIMIT), (0, 250_001 << 42));
            ("terms", [amount, index, ratio, bonus, scale, rates, index])
        }
        KIND_POSITION => ("position", [index, amount, amount, ANY, ANY, ANY, ANY]),
        KIND_PRICE => {
            let (price, nothing) = ((1, 1 << 61), (0, 1));
            ("price", [price, time, nothing, ANY, ANY, ANY, ANY])
        }
        KIND_PAYOUT => ("payout", [amount, amount, index, ANY, ANY, ANY, ANY]),
        _ => return None,
    })
}

/// Checks a record of a kind that the protocol names; others are their contracts' own.
///
/// # Errors
/// The first number out of bounds.
pub fn check(index: Index, record: &Record) -> Result<(), BoundsError> {
    let [kind, numbers @ ..] = record.0.map(|element| element.as_canonical_u64());
    let Some((name, bounds)) = bounds(kind) else {
        return Ok(());
    };
    for ((&found, (least, limit)), element) in numbers.iter().zip(bounds).zip(1..) {
        if found < least || found >= limit {
            return Err(BoundsError::Number {
                kind: name,
                index,
                element,
                found,
                least,
                most: limit - 1,
            });
        }
    }
    match (kind, numbers) {
        (KIND_POOL, [asset, other, ..]) if asset == other => {
            Err(BoundsError::OneAsset { index, asset })
        }
        (KIND_MARKET, [supplied, _, borrowed, ..]) if borrowed > supplied => {
            Err(BoundsError::Market {
                index,
                what: "borrowed assets",
                found: borrowed,
                most: supplied,
            })
        }
        (KIND_MARKET, [_, shares, .., fees]) if fees > shares => Err(BoundsError::Market {
            index,
            what: "fee shares",
            found: fees,
            most: shares,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;
    use crate::field::F;

    const GOOD: [[u64; 8]; 6] = [
        [KIND_POOL, 5, 6, 1, 1, 1_000, 100_000, 0],
        [KIND_MARKET, 9, 7, 9, 3, 1, 4, 7],
        [KIND_TERMS, 5, 50, 860_000, 1_043_841, 1_000, 40_000, 7],
        [KIND_POSITION, 100, 0, 0, 1, 2, 3, 4],
        [KIND_PRICE, 1, 0, 0, 1, 2, 3, 4],
        [KIND_PAYOUT, 5, 0, 1, 0, 0, 0, 0],
    ];

    fn checked(numbers: [u64; 8]) -> Result<(), BoundsError> {
        check(8, &Record(numbers.map(F::from_u64)))
    }

    #[test]
    fn each_number_has_its_bounds() {
        for good in GOOD {
            assert_eq!(checked(good), Ok(()));
            let (_, limits) = bounds(good[0]).expect("it has some");
            for (element, (least, limit)) in (1..).zip(limits) {
                if limit == u64::MAX {
                    continue;
                }
                let with = |value| {
                    let mut numbers = good;
                    numbers[element] = value;
                    checked(numbers)
                };
                let is_out = |result| matches!(result, Err(BoundsError::Number { .. }));
                assert!(is_out(with(limit)), "{good:?} {element}");
                assert!(!is_out(with(limit - 1)), "{good:?} {element}");
                assert!(!is_out(with(least)), "{good:?} {element}");
                if least > 0 {
                    assert!(is_out(with(least - 1)), "{good:?} {element}");
                }
            }
        }
        let message = checked([KIND_POOL, 5, 6, 1, 0, 1_000, 0, 0]).expect_err("no reserve");
        assert_eq!(
            message.to_string(),
            "the pool at index 8 has 0 as its element 4, expected 1 to 4611686018427387903"
        );
    }

    #[test]
    fn a_pool_has_two_assets_and_a_market_no_more_out_than_in() {
        let pool = [KIND_POOL, 5, 5, 1, 1, 1_000, 0, 0];
        assert!(matches!(checked(pool), Err(BoundsError::OneAsset { .. })));
        let lent = [KIND_MARKET, 9, 7, 10, 3, 1, 4, 0];
        assert!(matches!(checked(lent), Err(BoundsError::Market { .. })));
        let fees = [KIND_MARKET, 9, 7, 9, 3, 1, 4, 8];
        assert!(matches!(checked(fees), Err(BoundsError::Market { .. })));
        // What others have written is theirs.
        assert_eq!(checked([1_000, u64::MAX >> 1, 0, 0, 0, 0, 0, 0]), Ok(()));
    }
}
