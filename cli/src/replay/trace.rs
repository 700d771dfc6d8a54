//! Reads a trace of mainnet traffic: one value movement a line.

use std::path::Path;

use anyhow::{Context, Result, bail};
use num_bigint::BigUint;
use serde::Deserialize;

/// A 20-byte address of the base chain.
pub type Address = [u8; 20];

/// One transfer of the trace.
#[derive(Clone, Debug)]
pub struct Movement {
    pub from: Address,
    pub to: Address,
    /// `eth` or the token contract's address, as written.
    pub asset: String,
    /// In the asset's smallest unit.
    pub amount: BigUint,
}

/// A trace, swaps left out.
#[derive(Debug)]
pub struct Trace {
    pub transfers: Vec<Movement>,
    /// Swaps are not replayed yet.
    pub swaps_skipped: usize,
}

#[derive(Deserialize)]
struct Line {
    kind: String,
    from: String,
    to: String,
    asset_in: String,
    amount_in: String,
}

/// Reads a CSV trace; an error names the line.
pub fn read(path: &Path) -> Result<Trace> {
    let mut reader = csv::Reader::from_path(path)
        .with_context(|| format!("cannot open the trace {}", path.display()))?;
    let mut trace = Trace {
        transfers: Vec::new(),
        swaps_skipped: 0,
    };
    for (number, line) in reader.deserialize().enumerate() {
        let place = || format!("{}, line {}", path.display(), number + 2);
        let line: Line = line.with_context(place)?;
        match line.kind.as_str() {
            "transfer" => trace.transfers.push(movement(&line).with_context(place)?),
            "swap" => trace.swaps_skipped += 1,
            other => bail!(
                "{}: the kind is `{other}`, expected `transfer` or `swap`",
                place()
            ),
        }
    }
    Ok(trace)
}

fn movement(line: &Line) -> Result<Movement> {
    Ok(Movement {
        from: address(&line.from).context("column `from`")?,
        to: address(&line.to).context("column `to`")?,
        asset: line.asset_in.clone(),
        amount: line
            .amount_in
            .parse()
            .with_context(|| format!("column `amount_in`: `{}` is no integer", line.amount_in))?,
    })
}

/// Parses `0x` and 40 hex digits.
fn address(text: &str) -> Result<Address> {
    let digits = text
        .strip_prefix("0x")
        .with_context(|| format!("`{text}` does not begin with 0x"))?;
    let mut bytes = [0; 20];
    hex::decode_to_slice(digits, &mut bytes)
        .with_context(|| format!("`{text}` is no address of 20 bytes"))?;
    Ok(bytes)
}
