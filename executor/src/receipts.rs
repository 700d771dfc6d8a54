//! What each transaction of a batch gave: found by running the accepted ones once more, one after the
//! other.

use p3_field::PrimeField64;
use shardfold_contracts::readings::{Effect, FeePaid};
use shardfold_contracts::shown::{Change, Moved};
use shardfold_contracts::{Contracts, Reject};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;

use crate::outcome::Outcome;
use crate::sequential::Ledger;

/// What an accepted transaction gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// What it did to each record, the fee apart.
    pub changes: Vec<Change>,
    /// The fee that it paid.
    pub fee: Option<FeePaid>,
    /// What it moved, as its contract names it.
    pub totals: Vec<Moved>,
}

/// What one vault gained, or lost if it is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gain {
    /// Where the vault lies.
    pub index: Index,
    /// What it holds.
    pub asset: Asset,
    /// How much more of it.
    pub change: i64,
}

impl Given {
    /// Returns what a transaction gives that has this effect on a ledger, which is as before.
    #[must_use]
    pub fn of(
        contracts: &Contracts,
        transaction: &Transaction,
        effect: &Effect,
        ledger: &Ledger<'_>,
    ) -> Self {
        let changes = Change::all(effect, &|index| ledger.get(index));
        let fee = effect.fee.map_or(0, |fee| fee.amount);
        Self {
            totals: contracts.totals(transaction, &changes, fee),
            changes,
            fee: effect.fee,
        }
    }

    /// Returns what each vault gained or lost, the fee counted in.
    #[must_use]
    pub fn gains(&self) -> Vec<Gain> {
        let changes = self.changes.iter();
        let gain = |change: &Change| {
            let (asset, change_of) = change.gain()?;
            Some(Gain {
                index: change.index,
                asset,
                change: change_of,
            })
        };
        let mut gains: Vec<Gain> = changes.filter_map(gain).collect();
        let Some(fee) = self.fee else {
            return gains;
        };
        let amount = i64::try_from(fee.amount).unwrap_or(i64::MAX);
        match gains.iter_mut().find(|gain| gain.index == fee.vault) {
            Some(gain) => gain.change += amount,
            None => gains.push(Gain {
                index: fee.vault,
                asset: fee.asset.as_canonical_u64(),
                change: amount,
            }),
        }
        gains
    }
}

/// Returns what each transaction of a batch gave, given what came of it on this state; `None` for one
/// that was rejected.
///
/// # Errors
/// A transaction that the outcome has accepted and the rules do not: the outcome is of another batch
/// or state.
pub fn given(
    contracts: &Contracts,
    state: &State,
    batch: &Batch,
    outcome: &Outcome,
) -> Result<Vec<Option<Given>>, Reject> {
    let mut ledger = Ledger::new(contracts, state, batch.time);
    let mut all = vec![None; batch.transactions.len()];
    let mut effect = Effect::default();
    for accepted in &outcome.accepted {
        let position = accepted.position;
        let (Some(transaction), Some(place)) =
            (batch.transactions.get(position), all.get_mut(position))
        else {
            continue;
        };
        ledger.try_out(transaction, &accepted.prepared, &mut effect)?;
        *place = Some(Given::of(contracts, transaction, &effect, &ledger));
        ledger.accept(&effect);
    }
    Ok(all)
}
