//! Vaults, shares, positions and payouts.

use std::collections::BTreeSet;

use alloy_primitives::{Address, U256};
use p3_field::PrimeField64 as _;
use shardfold_contracts::lending::VIRTUAL_SHARES;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::inclusion::Inclusion;
use shardfold_protocol::record::{
    Asset, Index, KIND_MARKET, KIND_PAYOUT, KIND_POOL, KIND_POSITION, Record, SHARES,
};
use shardfold_protocol::state::State;

use super::{Call, Exit, Gone, Known, Step, Stuck};
use crate::encoding::{head_bytes, record_words, word};
use crate::escape::{EscapeError, escape_call};
use crate::interface::IRollup::{openCall, payDueCall, redeemCall, refundPayoutCall, repayCall};

/// Adds the calls for an owner's records, in the order in which they are sent.
pub fn leave(
    known: &Known<'_>,
    owner: Digest,
    key: [u64; 5],
    to: Address,
    exit: &mut Exit,
) -> Result<(), EscapeError> {
    let leaver = Leaver {
        state: known.state,
        left: &known.events.left,
        key,
        to,
        owner,
    };
    let mut found = Found::default();
    for (index, record) in known.state.tree().records() {
        leaver.find(index, &record, &mut found)?;
    }
    leaver.redeem(&mut found);
    leaver.in_order(found, exit);
    Ok(())
}

/// Whose everything leaves.
struct Leaver<'a> {
    state: &'a State,
    /// What has left already.
    left: &'a BTreeSet<Index>,
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
    /// What stays.
    stuck: BTreeSet<Stuck>,
    /// What has left.
    gone: BTreeSet<Gone>,
    /// Shares, each before those that it is exchanged for.
    shares: Vec<Asset>,
}

/// A step through shares of shares.
enum Visit {
    /// Shares, or another asset, that were found.
    Begin(Asset),
    /// Shares behind which all was seen that they are exchanged for.
    End(Asset),
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
            if vault.owner == self.owner && vault.balance > 0 {
                self.escape(index, vault.asset, vault.balance, found)?;
            }
            return Ok(());
        }
        let [kind, _, amount, ..] = elements(record);
        // Without collateral nothing comes back, and without a rest neither.
        if amount == 0 {
            return Ok(());
        }
        if kind == KIND_POSITION && record.0[4..] == self.owner {
            self.repay(index, record, found);
        } else if kind == KIND_PAYOUT {
            self.refund(index, record, found);
        }
        Ok(())
    }

    fn escape(
        &self,
        index: Index,
        asset: Asset,
        balance: u64,
        found: &mut Found,
    ) -> Result<(), EscapeError> {
        if asset >= SHARES {
            if self.parts(asset).is_none() {
                found.stuck.insert(Stuck::Shares { asset });
                return Ok(());
            }
            found.due.insert(asset);
        }
        if self.left.contains(&index) {
            found.gone.insert(Gone::Record { index });
            return Ok(());
        }
        let inclusion = Inclusion {
            chain_id: self.state.chain_id(),
            head: *self.state.head(),
            proof: self.state.tree().prove_record(index),
        };
        let call = escape_call(&inclusion, self.key, self.to)?;
        let step = Step::Escape {
            index,
            asset,
            balance,
        };
        found.escapes.push(Call::new(step, &call));
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
        if debt > 0 && asset >= SHARES {
            found.stuck.insert(Stuck::Collateral { index });
            return;
        }
        found.due.insert(collateral);
        if self.left.contains(&index) {
            found.gone.insert(Gone::Record { index });
            return;
        }
        found.opened.extend([market, market + 1, index]);
        let call = repayCall {
            index,
            key: self.key,
            to: self.to,
        };
        let step = Step::Repay { index, asset, debt };
        found.closed.push(Call::new(step, &call));
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
        found.closed.push(Call::new(step, &call));
    }

    /// What shares are exchanged for; `None` if the contract does not know.
    fn parts(&self, shares: Asset) -> Option<Vec<Asset>> {
        let record = elements(&self.record(index_of(shares)?));
        match record[0] {
            KIND_POOL => Some(vec![record[1], record[2]]),
            KIND_MARKET => Some(vec![record[6]]),
            _ => None,
        }
    }

    /// Finds what shares are exchanged for, which may be shares again, as deep as somebody likes.
    fn redeem(&self, found: &mut Found) {
        let (mut seen, mut ended) = (BTreeSet::new(), vec![]);
        let mut visits: Vec<_> = found.due.iter().copied().map(Visit::Begin).collect();
        while let Some(visit) = visits.pop() {
            let shares = match visit {
                Visit::Begin(asset) => asset,
                Visit::End(shares) => {
                    ended.push(shares);
                    continue;
                }
            };
            if shares < SHARES || !seen.insert(shares) {
                continue;
            }
            let (Some(index), Some(parts)) = (index_of(shares), self.parts(shares)) else {
                found.stuck.insert(Stuck::Shares { asset: shares });
                continue;
            };
            found.opened.insert(index);
            visits.push(Visit::End(shares));
            for part in parts {
                found.due.insert(part);
                visits.push(Visit::Begin(part));
            }
        }
        // What has ended last is what no other shares are exchanged for.
        ended.reverse();
        found.shares = ended;
    }

    fn in_order(&self, found: Found, exit: &mut Exit) {
        let calls = &mut exit.calls;
        calls.extend(found.escapes);
        calls.extend(found.opened.into_iter().map(|index| self.open(index)));
        calls.extend(found.closed);
        calls.extend(found.shares.into_iter().map(|shares| {
            let asset = U256::from(shares);
            let call = redeemCall { asset, to: self.to };
            Call::new(Step::Redeem { asset: shares }, &call)
        }));
        let own = found.due.into_iter().filter(|asset| *asset < SHARES);
        calls.extend(own.map(|own| {
            let asset = U256::from(own);
            let call = payDueCall { asset, to: self.to };
            Call::new(Step::PayDue { asset: own }, &call)
        }));
        exit.stuck.extend(found.stuck);
        exit.gone.extend(found.gone);
    }

    fn open(&self, index: Index) -> Call {
        let proof = self.state.tree().prove_record(index);
        let call = openCall {
            head: head_bytes(self.state.head()).into(),
            index,
            record: record_words(&proof.record),
            siblings: proof.siblings.map(|sibling| word(&sibling)),
        };
        Call::new(Step::Open { index }, &call)
    }
}
