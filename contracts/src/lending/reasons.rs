//! Why the contracts of lending reject.

use crate::machine::Reason;

/// No market where one is named.
pub static MARKET: Reason = Reason::new(
    "market",
    "found a record of kind {found}, expected a market",
);
/// A market whose interest is not counted up to now.
pub static MARKET_TIME: Reason = Reason::new(
    "market-time",
    "found a market whose interest is counted until {found}, expected {expected}: it accrues first",
);
/// No terms where a market's are.
pub static TERMS: Reason = Reason::new(
    "terms",
    "found a record of kind {found} after the market's index, expected its terms",
);
/// Another price than the one of the terms.
pub static PRICE_INDEX: Reason = Reason::new(
    "price-index",
    "found that the market's price is at index {found}, the transaction says {expected}",
);
/// No price where one is named.
pub static PRICE_KIND: Reason = Reason::new(
    "price-kind",
    "found a record of kind {found}, expected a price",
);
/// A price that is too old.
pub static PRICE_STALE: Reason = Reason::new(
    "price-stale",
    "found a price that serves for another {found} seconds, expected 0 to 3600",
);
/// No position where one is named.
pub static POSITION: Reason = Reason::new(
    "position",
    "found a record of kind {found}, expected a position",
);
/// A position in another market.
pub static POSITION_MARKET: Reason = Reason::new(
    "position-market",
    "found a position in the market at {found}, expected {expected}",
);
/// A position of another owner.
pub static POSITION_OWNER: Reason = Reason::new(
    "position-owner",
    "found a position of another owner (digest element {found}), expected {expected}",
);
/// Nothing that moves.
pub static ZERO: Reason = Reason::new("zero", "found {found}, expected at least 1");
/// A quotient out of bounds.
pub static QUOTIENT: Reason = Reason::new(
    "quotient",
    "found no quotient below 2^62 with the divisor {found}",
);
/// A collateral that is worth too much to count.
pub static VALUE: Reason = Reason::new(
    "value",
    "found a collateral whose value at scale {found} is 2^62 or more",
);
/// A limit that is no amount.
pub static LIMIT: Reason =
    Reason::new("limit", "found a limit of {found}, expected less than 2^62");
/// Less than the signer wants.
pub static TOO_LITTLE: Reason = Reason::new(
    "too-little",
    "found {found} more than the limit: less than what is asked for",
);
/// More than the signer would give.
pub static TOO_MUCH: Reason = Reason::new(
    "too-much",
    "found {found} less than the limit: more than what is offered",
);
/// More than is supplied.
pub static LIQUIDITY: Reason = Reason::new(
    "liquidity",
    "found that {found} would be left in the market, expected 0 or more",
);
/// A position that would hold too much.
pub static COLLATERAL: Reason = Reason::new(
    "collateral",
    "found that the position would hold {found}, expected 0 to 2^62 - 1",
);
/// A debt that the collateral does not cover.
pub static UNHEALTHY: Reason = Reason::new(
    "unhealthy",
    "found that {found} more could be owed, expected 0 or more: the collateral does not cover the debt",
);
/// More shares than the position owes.
pub static DEBT: Reason = Reason::new(
    "debt",
    "found that the position would owe {found} shares, expected 0 or more",
);
/// A market with too many shares.
pub static SHARES: Reason = Reason::new(
    "shares",
    "found that the market would have {found} shares, with the virtual ones, expected less than 2^62",
);
/// A ratio or a number of seconds out of bounds.
pub static PARAMETER: Reason = Reason::new(
    "parameter",
    "found a parameter of {found}, expected less than 2^32",
);
/// A slope of the rate out of bounds.
pub static SLOPE: Reason = Reason::new(
    "slope",
    "found a slope that is {found} below the highest, expected 0 or more",
);
/// A fee of the market out of bounds.
pub static MARKET_FEE: Reason = Reason::new(
    "market-fee",
    "found a fee of the market that is {found} below the highest, expected 0 or more",
);
