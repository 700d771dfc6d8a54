//! What takes an owner's vaults, shares, positions and payouts out of a frozen contract, call by call:
//! made of published data and the public key alone.

use std::collections::BTreeSet;

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use p3_field::PrimeField64 as _;
use serde::Serialize;
use shardfold_contracts::lending::VIRTUAL_SHARES;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::record::{
    Asset, Index, KIND_MARKET, KIND_PAYOUT, KIND_POOL, KIND_POSITION, Record, SHARES,
};
use shardfold_protocol::state::State;
use shardfold_protocol::text::integer;

use crate::encoding::{head_bytes, record_words, word};
use crate::escape::{EscapeError, escape_call, owner};
use crate::interface::IRollup::{openCall, payDueCall, redeemCall, refundPayoutCall, repayCall};

/// What one call does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "function", rename_all = "snake_case")]
pub enum Step {
    /// Takes a vault out: an asset of the base chain is paid, shares are noted as due.
    Escape {
        /// Where the vault lies.
        index: Index,
        /// What it holds.
        #[serde(with = "integer")]
        asset: Asset,
        /// How much.
        #[serde(with = "integer")]
        balance: u64,
    },
    /// Shows a record to the contract, once for everybody.
    Open {
        /// Where it lies.
        index: Index,
    },
    /// Pays a position's debt for its collateral, which is noted as due. Who sends it pays.
    Repay {
        /// Where the position lies.
        index: Index,
        /// What the debt is in.
        #[serde(with = "integer")]
        asset: Asset,
        /// The debt, in units.
        #[serde(with = "integer")]
        debt: u64,
    },
    /// Notes the rest of a payout as due to who paid it.
    RefundPayout {
        /// Where the payout lies.
        index: Index,
        /// What is left, in units.
        #[serde(with = "integer")]
        amount: u64,
        /// Of which asset.
        #[serde(with = "integer")]
        asset: Asset,
    },
    /// Gives shares back: what they are a part of is noted as due.
    Redeem {
        /// The shares.
        #[serde(with = "integer")]
        asset: Asset,
    },
    /// Pays what is due of an asset of the base chain.
    PayDue {
        /// The asset.
        #[serde(with = "integer")]
        asset: Asset,
    },
}

/// A call of a frozen contract, which anybody may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// What it does.
    #[serde(flatten)]
    pub step: Step,
    /// What is sent.
    pub data: Bytes,
}

impl Step {
    /// Returns the name of the contract's function, and the record or asset that it is about.
    #[must_use]
    pub const fn name(&self) -> (&'static str, u64) {
        match *self {
            Self::Escape { index, .. } => ("escape", index as u64),
            Self::Open { index } => ("open", index as u64),
            Self::Repay { index, .. } => ("repay", index as u64),
            Self::RefundPayout { index, .. } => ("refundPayout", index as u64),
            Self::Redeem { asset } => ("redeem", asset),
            Self::PayDue { asset } => ("payDue", asset),
        }
    }
}

/// Returns the calls for what an owner's records hold, in the order in which they are sent; none if the
/// state has nothing of the owner. The owner is who has this key and the exit address `to`, where all of
/// it goes, but for the collateral that `repay` gives its sender after 30 days. Of a debt in shares the
/// contract refuses `repay`.
///
/// Of shares of a market some of the part may come back later, when debts are repaid: `redeem` and
/// `payDue` are sent again then.
///
/// # Errors
/// A number of the key that is no element.
pub fn calls(state: &State, key: [u64; 5], to: Address) -> Result<Vec<Call>, EscapeError> {
    let leaver = Leaver {
        state,
        key,
        to,
        owner: owner(state.chain_id(), key, to)?,
    };
    let mut found = Found::default();
    for (index, record) in state.tree().records() {
        leaver.find(index, &record, &mut found)?;
    }
    leaver.redeem(&mut found);
    Ok(leaver.in_order(found))
}

/// Whose everything leaves.
struct Leaver<'a> {
    state: &'a State,
    key: [u64; 5],
    to: Address,
    owner: Digest,
}

/// What an owner has, and what has to be shown for it.
#[derive(Default)]
struct Found {
    escapes: Vec<Call>,
    opened: BTreeSet<Index>,
    /// Of positions and payouts.
    closed: Vec<Call>,
    /// Assets of which something will be due, shares too.
    due: BTreeSet<Asset>,
    /// Shares that were looked at.
    seen: BTreeSet<Asset>,
    /// Shares, each before those that it is exchanged for.
    shares: Vec<Asset>,
}

/// The elements of a record.
fn elements(record: &Record) -> [u64; 8] {
    record.0.map(|element| element.as_canonical_u64())
}

/// The index of the pool or market that shares are of.
fn index_of(shares: Asset) -> Option<Index> {
    Index::try_from(shares.checked_sub(SHARES)?).ok()
}

impl Leaver<'_> {
    fn record(&self, index: Index) -> Record {
        self.state.tree().get(index)
    }

    fn find(&self, index: Index, record: &Record, found: &mut Found) -> Result<(), EscapeError> {
        if let Some(vault) = record.vault() {
            if vault.owner == self.owner {
                self.escape(index, found)?;
            }
            return Ok(());
        }
        let [kind, ..] = elements(record);
        if kind == KIND_POSITION && record.0[4..] == self.owner {
            self.repay(index, record, found);
        } else if kind == KIND_PAYOUT {
            self.refund(index, record, found);
        }
        Ok(())
    }

    fn escape(&self, index: Index, found: &mut Found) -> Result<(), EscapeError> {
        let inclusion = Inclusion {
            chain_id: self.state.chain_id(),
            head: *self.state.head(),
            proof: self.state.tree().prove_record(index),
        };
        let call = escape_call(&inclusion, self.key, self.to)?;
        let [_, asset, balance, ..] = elements(&inclusion.proof.record);
        if asset >= SHARES {
            found.due.insert(asset);
        }
        let step = Step::Escape {
            index,
            asset,
            balance,
        };
        found.escapes.push(made(step, &call));
        Ok(())
    }

    /// The debt at the frozen totals, rounded up: `Unwind.sol` computes it alike.
    fn repay(&self, index: Index, position: &Record, found: &mut Found) {
        let [_, market, _, debt, ..] = elements(position);
        let market = market as Index;
        let [_, _, _, assets, shares, _, asset, _] = elements(&self.record(market));
        let [_, collateral, ..] = elements(&self.record(market + 1));
        let (assets, all) = (u128::from(assets) + 1, u128::from(shares + VIRTUAL_SHARES));
        let debt = (u128::from(debt) * assets).div_ceil(all) as u64;
        found.opened.extend([market, market + 1, index]);
        found.due.insert(collateral);
        let call = repayCall {
            index,
            key: self.key,
            to: self.to,
        };
        let step = Step::Repay { index, asset, debt };
        found.closed.push(made(step, &call));
    }

    /// A payout belongs to the owner of the vault that pays it.
    fn refund(&self, index: Index, payout: &Record, found: &mut Found) {
        let [_, asset, amount, vault, ..] = elements(payout);
        let vault = vault as Index;
        let payer = self.record(vault).vault().map(|vault| vault.owner);
        if payer != Some(self.owner) {
            return;
        }
        found.opened.extend([vault, index]);
        found.due.insert(asset);
        let call = refundPayoutCall {
            index,
            key: self.key,
            to: self.to,
        };
        let step = Step::RefundPayout {
            index,
            amount,
            asset,
        };
        found.closed.push(made(step, &call));
    }

    /// Finds what shares are exchanged for, which may be shares again.
    fn redeem(&self, found: &mut Found) {
        let due = found.due.clone();
        for asset in due {
            self.exchange(asset, found);
        }
        // What was left last is what others are exchanged for.
        found.shares.reverse();
    }

    fn exchange(&self, shares: Asset, found: &mut Found) {
        let Some(index) = index_of(shares) else {
            return;
        };
        if !found.seen.insert(shares) {
            return;
        }
        found.opened.insert(index);
        let record = elements(&self.record(index));
        let parts = match record[0] {
            KIND_POOL => vec![record[1], record[2]],
            KIND_MARKET => vec![record[6]],
            _ => vec![],
        };
        for part in parts {
            found.due.insert(part);
            self.exchange(part, found);
        }
        found.shares.push(shares);
    }

    fn in_order(&self, found: Found) -> Vec<Call> {
        let mut calls = found.escapes;
        calls.extend(found.opened.into_iter().map(|index| self.open(index)));
        calls.extend(found.closed);
        calls.extend(found.shares.into_iter().map(|shares| {
            let asset = U256::from(shares);
            let call = redeemCall { asset, to: self.to };
            made(Step::Redeem { asset: shares }, &call)
        }));
        let own = found.due.into_iter().filter(|asset| *asset < SHARES);
        calls.extend(own.map(|own| {
            let asset = U256::from(own);
            let call = payDueCall { asset, to: self.to };
            made(Step::PayDue { asset: own }, &call)
        }));
        calls
    }

    fn open(&self, index: Index) -> Call {
        let proof = self.state.tree().prove_record(index);
        let call = openCall {
            head: head_bytes(self.state.head()).into(),
            index,
            record: record_words(&proof.record),
            siblings: proof.siblings.map(|sibling| word(&sibling)),
        };
        made(Step::Open { index }, &call)
    }
}

fn made<C: SolCall>(step: Step, call: &C) -> Call {
    let data = call.abi_encode().into();
    Call { step, data }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing as _;
    use shardfold_protocol::field::F;
    use shardfold_protocol::record::Vault;
    use shardfold_protocol::state::StateFile;

    use super::*;

    const CHAIN: u64 = 7;
    const KEY: [u64; 5] = [1, 2, 3, 4, 5];

    fn record(elements: [u64; 8]) -> Record {
        Record(elements.map(F::from_u64))
    }

    /// A vault with shares of the pool 30, which has shares of the market 20, which lends asset 6; and a
    /// payout of asset 9 by a vault of asset 8.
    fn nested(owner: Digest) -> State {
        let vault = |asset| {
            let vault = Vault {
                owner,
                asset,
                balance: 50,
                nonce: 0,
            };
            Record::from(vault)
        };
        let mut file = StateFile {
            chain_id: CHAIN,
            head: None,
            vaults: vec![],
            records: vec![],
        };
        file.push(1, vault(SHARES + 30));
        file.push(2, vault(8));
        file.push(20, record([KIND_MARKET, 100, 100, 0, 0, 0, 6, 0]));
        file.push(
            30,
            record([KIND_POOL, 5, SHARES + 20, 100, 100, 2_000, 0, 0]),
        );
        file.push(40, record([KIND_PAYOUT, 9, 70, 2, 0, 0, 0, 1]));
        State::try_from(&file).expect("it is a state")
    }

    #[test]
    fn shares_are_given_back_before_those_that_they_are_exchanged_for() {
        let to = Address::repeat_byte(1);
        let state = nested(owner(CHAIN, KEY, to).expect("it is a key"));
        let calls = calls(&state, KEY, to).expect("it is a key");
        let names: Vec<_> = calls.iter().map(|call| call.step.name()).collect();
        let expected = [
            ("escape", 1),
            ("escape", 2),
            ("open", 2),
            ("open", 20),
            ("open", 30),
            ("open", 40),
            ("refundPayout", 40),
            ("redeem", SHARES + 30),
            ("redeem", SHARES + 20),
            ("payDue", 5),
            ("payDue", 6),
            ("payDue", 9),
        ];
        assert_eq!(names, expected);
    }
}
