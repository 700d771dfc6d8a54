//! Plans an import: which vault stands for which address, what genesis must hold, and every
//! transfer in the rollup's own units.

use std::collections::HashMap;
use std::io;

use shardfold_protocol::address::Address;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::text::excerpt;
use thiserror::Error;

use super::Movement;
use super::assets::{self, AssetPlan};
use super::pools::{PoolPlan, Pools};

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
    /// The holding that the vault stands for.
    pub holding: Holding,
    /// Where it lies in the state.
    pub index: Index,
    /// What it must hold before the first transfer.
    pub funding: u64,
    /// Whether it pays, be it 0, before it is paid: no transfer opens it.
    pub is_first: bool,
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

/// One swap by the owner of two planned vaults.
#[derive(Clone, Copy, Debug)]
pub struct SwapPlan {
    /// The vault that pays, as a position in [`Plan::vaults`].
    pub from: usize,
    /// The vault that receives, as a position in [`Plan::vaults`].
    pub to: usize,
    /// The pool, as a position in [`Plan::pools`].
    pub pool: usize,
    /// In the rollup's units of the asset paid.
    pub amount: u64,
    /// The least that is received, in the rollup's units.
    pub least: u64,
    /// That of the paying vault.
    pub nonce: u64,
    /// Whether the pool gives so much when its turn comes.
    pub is_served: bool,
}

/// What a movement becomes.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// A transfer.
    Transfer(TransferPlan),
    /// A swap.
    Swap(SwapPlan),
}

/// The whole import. The fee vault of asset `a` is at index `a`.
#[derive(Debug)]
pub struct Plan {
    /// By their number.
    pub assets: Vec<AssetPlan>,
    /// In order of appearance.
    pub vaults: Vec<VaultPlan>,
    /// After the vaults in the state, in order of appearance.
    pub pools: Vec<PoolPlan>,
    /// In the order of the trace.
    pub actions: Vec<Action>,
    /// Swaps of an asset for itself, which are left out.
    pub swaps_for_itself: usize,
    /// Transfers of an address to itself, sent to a second vault of theirs.
    pub self_transfers: usize,
}

/// Why transfers cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The fees of an asset, all of which go to one vault, could not be held.
    #[error(
        "the fees of {transfers} transfers of {asset}, {fee} each, are {total}, expected less than 2^61"
    )]
    Fees {
        /// An excerpt of the asset's name.
        asset: String,
        /// How many transfers move it.
        transfers: u64,
        /// The fee of each transfer.
        fee: u64,
        /// All fees together.
        total: u128,
    },
}

/// All fees of an asset together are below this: with its movements below 2^60, no vault gets
/// to 2^62.
const FEES_LIMIT: u128 = 1 << 61;
/// Swaps bring no vault to more than this: with all movements and fees of its asset it stays below
/// 2^62.
const SWAPPED_LIMIT: u64 = 1 << 60;

impl Plan {
    /// Plans transfers and swaps in their order, each paying `fee`.
    ///
    /// # Errors
    /// Fees that are too large together.
    pub fn new(movements: &[Movement], fee: u64) -> Result<Self, PlanError> {
        let mut plan = Self {
            assets: assets::assets(movements),
            vaults: Vec::new(),
            pools: Vec::new(),
            actions: Vec::with_capacity(movements.len()),
            swaps_for_itself: 0,
            self_transfers: 0,
        };
        plan.check_fees(fee)?;
        let names = plan.assets.iter().map(|asset| asset.name.clone());
        let numbers: HashMap<String, usize> = names.zip(0..).collect();
        let number_of = |asset: &str| numbers[asset];
        let mut pools = Pools::new(movements, &plan.assets, number_of);
        let mut holders = Holders::default();
        for movement in movements {
            let number = number_of(&movement.asset);
            let amount = plan.assets[number].scale(&movement.amount);
            let Some(swap) = &movement.swap else {
                let to_self = movement.from == movement.to;
                plan.self_transfers += usize::from(to_self);
                let from = holders.position(movement.from, number, false);
                let to = holders.position(movement.to, number, to_self);
                let transfer = holders.transfer(from, to, amount, fee);
                plan.actions.push(Action::Transfer(transfer));
                continue;
            };
            let other = number_of(&swap.asset);
            let least = plan.assets[other].scale(&swap.least);
            if other == number {
                plan.swaps_for_itself += 1;
                continue;
            }
            let from = holders.position(movement.from, number, false);
            let to = holders.position(movement.from, other, false);
            let (pool, got) = pools.swap(number, other, amount);
            let got = got.filter(|&got| got >= least && holders.can_receive(to, got));
            let swap = SwapPlan {
                from,
                to,
                pool,
                amount,
                least,
                nonce: holders.running[from].nonce,
                is_served: got.is_some(),
            };
            if let Some(got) = got {
                pools.serve(pool, number, amount, got);
                holders.swap(from, to, amount + fee, got);
            }
            plan.actions.push(Action::Swap(swap));
        }
        plan.vaults = holders.vaults(plan.assets.len());
        plan.pools = pools.opened(plan.assets.len() + plan.vaults.len());
        Ok(plan)
    }

    /// Returns how many swaps there are, and how many of them the pools serve.
    #[must_use]
    pub fn swaps(&self) -> (usize, usize) {
        let served = self.actions.iter().filter_map(|action| match action {
            Action::Swap(swap) => Some(usize::from(swap.is_served)),
            Action::Transfer(_) => None,
        });
        (served.clone().count(), served.sum())
    }

    /// Writes a CSV table of the assets: number, name, what one unit is, what rounding took.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_assets(&self, out: impl io::Write) -> io::Result<()> {
        assets::write_table(&self.assets, out)
    }

    fn check_fees(&self, fee: u64) -> Result<(), PlanError> {
        for asset in &self.assets {
            let total = u128::from(asset.transfers) * u128::from(fee);
            if total >= FEES_LIMIT {
                return Err(PlanError::Fees {
                    asset: excerpt(&asset.name),
                    transfers: asset.transfers,
                    fee,
                    total,
                });
            }
        }
        Ok(())
    }
}

/// The vaults so far, while the transfers are played.
#[derive(Default)]
struct Holders {
    positions: HashMap<Holding, usize>,
    holdings: Vec<Holding>,
    running: Vec<Running>,
}

impl Holders {
    /// The position of a vault, a new one if it was not met yet.
    fn position(&mut self, address: Address, number: usize, second: bool) -> usize {
        let holding = Holding {
            address,
            asset: number as Asset,
            second,
        };
        let next = self.holdings.len();
        let position = *self.positions.entry(holding).or_insert(next);
        if position == next {
            self.holdings.push(holding);
            self.running.push(Running::default());
        }
        position
    }

    fn transfer(&mut self, from: usize, to: usize, amount: u64, fee: u64) -> TransferPlan {
        let nonce = self.running[from].nonce;
        self.running[from].pay(amount + fee);
        self.running[to].receive(amount);
        TransferPlan {
            from,
            to,
            amount,
            nonce,
        }
    }

    /// Whether a vault has room for so much more.
    fn can_receive(&self, to: usize, amount: u64) -> bool {
        u128::from(self.running[to].balance) + u128::from(amount) < u128::from(SWAPPED_LIMIT)
    }

    fn swap(&mut self, from: usize, to: usize, outgo: u64, got: u64) {
        self.running[from].pay(outgo);
        self.running[to].receive(got);
    }

    /// The vaults, which lie in the state after those that earn the fees.
    fn vaults(self, fee_vaults: usize) -> Vec<VaultPlan> {
        let vaults = self.holdings.into_iter().zip(self.running);
        let plan = |(position, (holding, running)): (usize, (Holding, Running))| VaultPlan {
            holding,
            index: (fee_vaults + position) as Index,
            funding: running.funding,
            is_first: running.pays_first,
        };
        vaults.enumerate().map(plan).collect()
    }
}

/// A vault while the transfers are played: what it would hold, and what it lacked.
#[derive(Default)]
struct Running {
    balance: u64,
    nonce: u64,
    funding: u64,
    exists: bool,
    pays_first: bool,
}

impl Running {
    fn pay(&mut self, amount: u64) {
        let lacking = amount.saturating_sub(self.balance);
        self.funding += lacking;
        self.balance = self.balance + lacking - amount;
        self.nonce += 1;
        self.pays_first |= !self.exists;
        self.exists = true;
    }

    fn receive(&mut self, amount: u64) {
        self.balance += amount;
        self.exists = true;
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    fn movement(from: u8, to: u8, amount: u128) -> Movement {
        Movement {
            from: Address([from; 20]),
            to: Address([to; 20]),
            asset: "eth".into(),
            amount: amount.into(),
            time: None,
            swap: None,
        }
    }

    fn transfers(plan: &Plan) -> Vec<TransferPlan> {
        let transfer = |action: &Action| match action {
            Action::Transfer(transfer) => *transfer,
            Action::Swap(swap) => panic!("{swap:?}"),
        };
        plan.actions.iter().map(transfer).collect()
    }

    #[test]
    fn only_what_is_lacking_is_funded() {
        let plan = Plan::new(
            &[movement(1, 2, 100), movement(2, 3, 60), movement(2, 3, 60)],
            1,
        )
        .unwrap();
        let funding: Vec<u64> = plan.vaults.iter().map(|vault| vault.funding).collect();
        assert_eq!(funding, [101, 22, 0]);
        let nonces: Vec<u64> = transfers(&plan)
            .iter()
            .map(|transfer| transfer.nonce)
            .collect();
        assert_eq!(nonces, [0, 0, 1]);
    }

    #[test]
    fn a_transfer_to_oneself_goes_to_a_second_vault() {
        let plan = Plan::new(&[movement(1, 1, 5)], 0).unwrap();
        assert_eq!(plan.self_transfers, 1);
        let transfer = transfers(&plan)[0];
        assert_ne!(transfer.from, transfer.to);
        assert_eq!(plan.vaults[1].holding.address, Address([1; 20]));
    }

    /// Dust was once counted as one unit.
    #[test]
    fn what_is_rounded_is_reported_to_the_last_unit() {
        let amounts = [u128::MAX / 2, 7, 0, 10u128.pow(21), 10u128.pow(21) + 9];
        let plan = Plan::new(&amounts.map(|amount| movement(1, 2, amount)), 0).unwrap();
        let asset = &plan.assets[0];
        let unit = 10u128.pow(asset.digits);
        assert_eq!(asset.digits, 21);
        let moved: Vec<u64> = transfers(&plan).iter().map(|entry| entry.amount).collect();
        assert_eq!(moved, amounts.map(|amount| (amount / unit) as u64));
        assert_eq!(moved[1..], [0, 0, 1, 1]);
        assert_eq!((asset.rounded, asset.below_unit), (3, 1));
        assert_eq!(asset.below_unit_total, 7u32.into());
        assert_eq!(asset.lost, (amounts[0] % unit + 7 + 9).into());
        let kept: u128 = moved.iter().map(|&amount| u128::from(amount) * unit).sum();
        let lost = u128::try_from(asset.lost.clone()).unwrap();
        let all = amounts.iter().map(|amount| BigUint::from(*amount));
        assert_eq!(BigUint::from(kept) + lost, all.sum::<BigUint>());
    }

    /// Sums of fees once wrapped in 64 bits.
    #[test]
    fn fees_that_no_vault_can_hold_are_refused() {
        let transfers = |count| vec![movement(1, 2, 1); count];
        let fee = (1 << 46) - 1;
        let error = Plan::new(&transfers(280_000), fee).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("280000 transfers of eth"), "{message}");
        Plan::new(&transfers(2), (1 << 60) - 1).unwrap();
        Plan::new(&transfers(2), 1 << 60).unwrap_err();
        Plan::new(&transfers(1), u64::MAX).unwrap_err();
    }

    #[test]
    fn a_vault_that_pays_nothing_is_there_all_the_same() {
        let transfers = [movement(1, 2, 0), movement(2, 1, 0)];
        let plan = Plan::new(&transfers, 0).unwrap();
        let first: Vec<bool> = plan.vaults.iter().map(|vault| vault.is_first).collect();
        assert_eq!(first, [true, false]);
    }
}
