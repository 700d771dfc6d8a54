//! Traces of swaps that say what their pools held: each is imported into a pool with just these
//! reserves.
//!
//! A CSV file with the columns `timestamp`, `tx_index`, `block`, `pair`, `token0`, `token1`,
//! `reserve0`, `reserve1`, `amount0_in`, `amount1_in`, `amount0_out`, `amount1_out`.

use std::collections::HashMap;

use num_bigint::BigUint;
use shardfold_protocol::address::Address;

use super::assets::digits_to_lose;
use super::read::{FieldError, Records, TraceError, address, amount, time};

/// Bits of a reserve, with what is paid into it.
const RESERVE_BITS: u64 = 61;

const COLUMNS: [&str; 12] = [
    "block",
    "timestamp",
    "tx_index",
    "pair",
    "token0",
    "token1",
    "reserve0",
    "reserve1",
    "amount0_in",
    "amount1_in",
    "amount0_out",
    "amount1_out",
];

/// One swap of such a trace, in the tokens' smallest units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSwap {
    /// Who swaps: made of block and place, for the trace does not say.
    pub trader: Address,
    /// When, in seconds.
    pub time: u64,
    /// The pool's contract.
    pub pair: Address,
    /// The tokens: of what is paid, and of what is received.
    pub tokens: [Address; 2],
    /// What the pool held of them.
    pub reserves: [BigUint; 2],
    /// What was paid.
    pub paid: BigUint,
    /// What was received.
    pub received: BigUint,
}

/// A trace of swaps with the reserves of their pools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolTrace {
    /// In the order of the file.
    pub swaps: Vec<PoolSwap>,
    /// Swaps that pay or receive on both sides, which no kind of transaction does.
    pub both_ways: usize,
}

impl PoolTrace {
    /// Returns whether the first line of a file names a pool's reserves.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        let first = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next();
        let mut names = first.unwrap_or_default().split(|byte| *byte == b',');
        names.any(|name| name == b"reserve0")
    }

    /// Returns the trace of a CSV file's bytes.
    ///
    /// # Errors
    /// The first record that is not understood.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TraceError> {
        let mut records = Records::new(bytes, &COLUMNS, &[])?;
        let mut trace = Self::default();
        while records.advance()? {
            match swap(&records)? {
                Some(swap) => trace.swaps.push(swap),
                None => trace.both_ways += 1,
            }
        }
        Ok(trace)
    }

    /// Returns the tokens in order of appearance, each with the digits by which its reserves are too
    /// long: one unit of the rollup is 10^digits of the smallest.
    #[must_use]
    pub fn tokens(&self) -> Vec<(Address, u32)> {
        let mut order: Vec<Address> = Vec::new();
        let mut most: HashMap<Address, BigUint> = HashMap::new();
        for swap in &self.swaps {
            let held = [&swap.reserves[0] + &swap.paid, swap.reserves[1].clone()];
            for (token, held) in swap.tokens.into_iter().zip(held) {
                let most = most.entry(token).or_insert_with(|| {
                    order.push(token);
                    BigUint::ZERO
                });
                *most = (*most).clone().max(held);
            }
        }
        let digits = |token: Address| (token, digits_to_lose(most[&token].clone(), RESERVE_BITS));
        order.into_iter().map(digits).collect()
    }
}

/// The current record; `None` if it goes both ways.
fn swap(records: &Records) -> Result<Option<PoolSwap>, TraceError> {
    let number = |column| records.field(column, amount);
    let place = [number(0)?, number(2)?];
    let pair = records.field(3, short_address)?;
    let token = |side: u8| records.field(4 + usize::from(side), |text| token(text, pair, side));
    let tokens = [token(0)?, token(1)?];
    if tokens[0] == tokens[1] {
        return Err(records.refused(5, FieldError::SameToken));
    }
    let reserves = [number(6)?, number(7)?];
    let paid = [number(8)?, number(9)?];
    let received = [number(10)?, number(11)?];
    let sides = |amounts: &[BigUint; 2]| amounts.each_ref().map(|amount| *amount > BigUint::ZERO);
    let side = match (sides(&paid), sides(&received)) {
        ([true, false], [false, true]) => 0,
        ([false, true], [true, false]) => 1,
        _ => return Ok(None),
    };
    let other = 1 - side;
    Ok(Some(PoolSwap {
        trader: trader(&place),
        time: records.field(1, time)?,
        pair,
        tokens: [tokens[side], tokens[other]],
        reserves: [reserves[side].clone(), reserves[other].clone()],
        paid: paid[side].clone(),
        received: received[other].clone(),
    }))
}

/// An address of which leading zeros may be left out.
fn short_address(text: &str) -> Result<Address, FieldError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    address(&format!("0x{digits:0>40}"))
}

/// A token's address; where the trace does not name it, one that is made of the pool's and the side.
fn token(text: &str, pair: Address, side: u8) -> Result<Address, FieldError> {
    if !text.is_empty() {
        return short_address(text);
    }
    let mut bytes = pair.0;
    bytes[0] ^= 0x80 | side;
    Ok(Address(bytes))
}

/// An address for whoever sent the transaction at a place of a block.
fn trader([block, place]: &[BigUint; 2]) -> Address {
    let mut bytes = [0; 20];
    let parts = [(0, block), (10, place)];
    for (start, number) in parts {
        let digits = number.to_bytes_be();
        let kept = &digits[digits.len().saturating_sub(10)..];
        bytes[start + 10 - kept.len()..start + 10].copy_from_slice(kept);
    }
    Address(bytes)
}
