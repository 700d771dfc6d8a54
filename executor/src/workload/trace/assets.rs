//! The assets of an import: their numbers, and how their amounts become the rollup's.

use std::collections::HashMap;
use std::io;

use num_bigint::BigUint;

use super::Movement;

/// All movements of an asset together, and what pools need for the swaps among them, stay below this
/// after scaling, so that no transfer can bring a balance to 2^62 whatever the order.
const TOTAL_BITS: u64 = 60;

/// How many times all that is swapped in a pool it holds at first.
pub(super) const DEPTH: u64 = 64;

/// One asset: its number is its place in [`Plan::assets`](super::Plan::assets).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetPlan {
    /// Its name in the trace.
    pub name: String,
    /// One unit of the rollup is 10^digits of the asset's smallest; 0 if it is not scaled.
    pub digits: u32,
    /// How many transfers and swaps pay in it.
    pub transfers: u64,
    /// Amounts that are no multiple of a unit, rounded down.
    pub rounded: u64,
    /// What these lost together, in the asset's smallest unit.
    pub lost: BigUint,
    /// Amounts below one unit, but not 0, that became 0; they count among the rounded.
    pub below_unit: u64,
    /// These amounts together, in the asset's smallest unit.
    pub below_unit_total: BigUint,
}

impl AssetPlan {
    /// What an amount is in units of the rollup, rounded down.
    pub(super) fn units(&self, amount: &BigUint) -> u64 {
        units(amount, self.digits)
    }

    /// Notes an amount of the trace: what it is in units of the rollup.
    pub(super) fn scale(&mut self, amount: &BigUint) -> u64 {
        let unit = BigUint::from(10u32).pow(self.digits);
        let (units, rest) = (amount / &unit, amount % &unit);
        if rest != BigUint::ZERO {
            self.rounded += 1;
            self.lost += &rest;
            if units == BigUint::ZERO {
                self.below_unit += 1;
                self.below_unit_total += rest;
            }
        }
        u64::try_from(units).expect("an asset's total was scaled below 2^60")
    }
}

/// The assets in order of appearance, no amount scaled yet.
pub(super) fn assets(movements: &[Movement]) -> Vec<AssetPlan> {
    let mut order: Vec<&str> = Vec::new();
    let mut sums: HashMap<&str, (u64, BigUint)> = HashMap::new();
    for movement in movements {
        let paid = (&movement.asset, &movement.amount, 1);
        let received = movement
            .swap
            .as_ref()
            .map(|swap| (&swap.asset, &swap.least, 0));
        for (asset, amount, pays) in [Some(paid), received].into_iter().flatten() {
            let (count, total) = sums.entry(asset).or_insert_with(|| {
                order.push(asset);
                (0, BigUint::ZERO)
            });
            *count += pays;
            // A pool holds many times what is swapped in it.
            let times = if movement.swap.is_some() { DEPTH } else { 1 };
            *total += amount * times;
        }
    }
    let plan = |name: &str| AssetPlan {
        name: name.to_owned(),
        digits: digits_to_lose(sums[name].1.clone(), TOTAL_BITS),
        transfers: sums[name].0,
        rounded: 0,
        lost: BigUint::ZERO,
        below_unit: 0,
        below_unit_total: BigUint::ZERO,
    };
    order.into_iter().map(plan).collect()
}

/// What an amount is in units of so many digits, rounded down.
///
/// # Panics
/// If it has more than 64 bits: digits are chosen so that it has not.
pub(super) fn units(amount: &BigUint, digits: u32) -> u64 {
    let units = amount / BigUint::from(10u32).pow(digits);
    u64::try_from(units).expect("amounts are scaled to fewer than 64 bits")
}

/// How many digits an integer must lose to have no more than so many bits.
pub(super) fn digits_to_lose(mut total: BigUint, bits: u64) -> u32 {
    let mut digits = 0;
    while total.bits() > bits {
        total /= 10u32;
        digits += 1;
    }
    digits
}

/// A CSV table of the assets: number, name, what one unit is, and what rounding took.
///
/// # Errors
/// Those of the writer.
pub(super) fn write_table(assets: &[AssetPlan], out: impl io::Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record([
        "number",
        "asset",
        "transfers",
        "digits",
        "rounded",
        "lost",
        "below_unit",
        "below_unit_total",
    ])?;
    for (number, asset) in assets.iter().enumerate() {
        table.write_record([
            number.to_string(),
            asset.name.clone(),
            asset.transfers.to_string(),
            asset.digits.to_string(),
            asset.rounded.to_string(),
            asset.lost.to_string(),
            asset.below_unit.to_string(),
            asset.below_unit_total.to_string(),
        ])?;
    }
    table.flush()
}
