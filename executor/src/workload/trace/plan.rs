//! Plans an import: which vault stands for which address, what genesis must hold, and every
//! transfer in the rollup's own units.

use std::collections::HashMap;

use num_bigint::BigUint;
use shardfold_protocol::record::{Asset, Index};

use super::{Address, Movement};

/// Where an address keeps an asset. Who pays themselves uses a second vault of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holding {
    /// Whose it is.
    pub address: Address,
    /// Its number in the plan.
    pub asset: Asset,
    /// Whether it is the second one.
    pub second: bool,
}

/// One vault of the import.
#[derive(Clone, Debug)]
pub struct VaultPlan {
    /// What it stands for.
    pub holding: Holding,
    /// Where it lies in the state.
    pub index: Index,
    /// What it must hold before the first transfer; zero where a transfer opens it.
    pub funding: u64,
}

/// One transfer between planned vaults.
#[derive(Clone, Copy, Debug)]
pub struct TransferPlan {
    /// Who pays, as a position in [`Plan::vaults`].
    pub from: usize,
    /// Who is paid, as a position in [`Plan::vaults`].
    pub to: usize,
    /// In the rollup's units of the asset.
    pub amount: u64,
    /// That of the paying vault.
    pub nonce: u64,
}

/// The whole import. The fee vault of asset `a` is at index `a`.
#[derive(Debug)]
pub struct Plan {
    /// Names of the assets by their number, and by how many decimal digits each is scaled.
    pub assets: Vec<(String, u32)>,
    /// In order of appearance.
    pub vaults: Vec<VaultPlan>,
    /// In the order of the trace.
    pub transfers: Vec<TransferPlan>,
    /// Transfers of an address to itself, sent to a second vault of theirs.
    pub self_transfers: usize,
    /// Transfers whose amount is below one unit after scaling, counted as one unit.
    pub rounded_up: usize,
}

/// All movements of an asset together stay below this after scaling, so that no balance can
/// reach 2^62 whatever the order.
const ASSET_TOTAL_BITS: u64 = 60;

impl Plan {
    /// Plans the transfers in their order, each paying `fee`.
    #[must_use]
    pub fn new(transfers: &[Movement], fee: u64) -> Self {
        let assets = assets(transfers);
        let numbers: HashMap<&str, usize> = assets
            .iter()
            .enumerate()
            .map(|(number, (name, _))| (name.as_str(), number))
            .collect();
        let mut plan = Self {
            vaults: Vec::new(),
            transfers: Vec::with_capacity(transfers.len()),
            self_transfers: 0,
            rounded_up: 0,
            assets: assets.clone(),
        };
        let mut positions = HashMap::new();
        let mut running = Vec::new();
        for movement in transfers {
            let number = numbers[movement.asset.as_str()];
            let to_self = movement.from == movement.to;
            plan.self_transfers += usize::from(to_self);
            let mut position = |address, second| {
                let holding = Holding {
                    address,
                    asset: number as Asset,
                    second,
                };
                *positions.entry(holding).or_insert_with(|| {
                    running.push(Running::default());
                    plan.vaults.push(VaultPlan {
                        holding,
                        index: (assets.len() + plan.vaults.len()) as Index,
                        funding: 0,
                    });
                    plan.vaults.len() - 1
                })
            };
            let from = position(movement.from, false);
            let to = position(movement.to, to_self);
            let scaled = scale(&movement.amount, assets[number].1);
            plan.rounded_up += usize::from(scaled == 0);
            let amount = scaled.max(1);
            plan.transfers.push(TransferPlan {
                from,
                to,
                amount,
                nonce: running[from].nonce,
            });
            running[from].pay(amount + fee);
            running[to].balance += amount;
        }
        for (vault, running) in plan.vaults.iter_mut().zip(&running) {
            vault.funding = running.funding;
        }
        plan
    }
}

/// A vault while the transfers are played: what it would hold, and what it lacked.
#[derive(Default)]
struct Running {
    balance: u64,
    nonce: u64,
    funding: u64,
}

impl Running {
    fn pay(&mut self, amount: u64) {
        let lacking = amount.saturating_sub(self.balance);
        self.funding += lacking;
        self.balance = self.balance + lacking - amount;
        self.nonce += 1;
    }
}

/// The assets in order of appearance, each with the digits that its amounts lose.
fn assets(transfers: &[Movement]) -> Vec<(String, u32)> {
    let mut order: Vec<String> = Vec::new();
    let mut totals: HashMap<&str, BigUint> = HashMap::new();
    for movement in transfers {
        let total = totals.entry(&movement.asset).or_insert_with(|| {
            order.push(movement.asset.clone());
            BigUint::ZERO
        });
        *total += &movement.amount;
    }
    order
        .into_iter()
        .map(|name| {
            let digits = digits_to_lose(&totals[name.as_str()]);
            (name, digits)
        })
        .collect()
}

fn digits_to_lose(total: &BigUint) -> u32 {
    let mut total = total.clone();
    let mut digits = 0;
    while total.bits() > ASSET_TOTAL_BITS {
        total /= 10u32;
        digits += 1;
    }
    digits
}

fn scale(amount: &BigUint, digits: u32) -> u64 {
    let scaled = amount / BigUint::from(10u32).pow(digits);
    u64::try_from(scaled).expect("an asset's total was scaled below 2^60")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(from: u8, to: u8, amount: u128) -> Movement {
        Movement {
            from: [from; 20],
            to: [to; 20],
            asset: "eth".into(),
            amount: amount.into(),
        }
    }

    #[test]
    fn only_what_is_lacking_is_funded() {
        let plan = Plan::new(
            &[movement(1, 2, 100), movement(2, 3, 60), movement(2, 3, 60)],
            1,
        );
        let funding: Vec<u64> = plan.vaults.iter().map(|vault| vault.funding).collect();
        assert_eq!(funding, [101, 22, 0]);
        let nonces: Vec<u64> = plan
            .transfers
            .iter()
            .map(|transfer| transfer.nonce)
            .collect();
        assert_eq!(nonces, [0, 0, 1]);
    }

    #[test]
    fn a_transfer_to_oneself_goes_to_a_second_vault() {
        let plan = Plan::new(&[movement(1, 1, 5)], 0);
        assert_eq!(plan.self_transfers, 1);
        assert_ne!(plan.transfers[0].from, plan.transfers[0].to);
        assert_eq!(plan.vaults[1].holding.address, [1; 20]);
    }

    #[test]
    fn large_amounts_are_scaled_and_dust_is_kept() {
        let plan = Plan::new(&[movement(1, 2, u128::MAX), movement(1, 2, 7)], 0);
        assert!(plan.assets[0].1 > 0);
        assert_eq!(plan.rounded_up, 1);
        assert_eq!(plan.transfers[1].amount, 1);
        let total: u64 = plan.transfers.iter().map(|transfer| transfer.amount).sum();
        assert!(total < 1 << 61);
    }
}
