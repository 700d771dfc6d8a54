//! What is no record: withdrawals that nobody has claimed, and deposits that no batch took.

use alloy_primitives::{Address, Bytes, U256};
use p3_field::{PrimeCharacteristicRing as _, PrimeField64 as _};
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::extend_chain;

use super::{Call, Known, LeavingError, Step};
use crate::encoding::word;
use crate::interface::IRollup::{Waiting, claimCall, reclaimCall};
use crate::queue::{Item, Queued, chain};
use crate::withdrawals::{Withdrawal, WithdrawalTree};

/// The calls that pay the withdrawals to an address.
pub fn claims(known: &Known<'_>, to: Address) -> Vec<Call> {
    let address = ExitAddress(to.into_array()).elements();
    let base_chain = F::from_u32(known.base_chain);
    let is_ours = |withdrawal: &Withdrawal| {
        withdrawal.address == address && withdrawal.base_chain == base_chain
    };
    let (mut calls, mut first) = (vec![], 0);
    for batch in known.batches {
        let mut tree = None;
        for (place, withdrawal) in batch.withdrawals.iter().enumerate() {
            let number = first + place as u64;
            if !is_ours(withdrawal) || known.events.claimed.contains(&number) {
                continue;
            }
            let tree = tree
                .get_or_insert_with(|| WithdrawalTree::new(first, &batch.withdrawals))
                .as_ref();
            let call = claimCall {
                batch: U256::from(batch.batch),
                number,
                entry: withdrawal.entry().into(),
                path: tree.map(|tree| tree.path(place)).unwrap_or_default(),
            };
            let step = Step::Claim {
                number,
                asset: withdrawal.asset.as_canonical_u64(),
                amount: withdrawal.amount.as_canonical_u64(),
            };
            calls.push(Call::new(step, &call));
        }
        first = batch.head.withdrawal_count;
    }
    calls
}

/// The calls that pay deposits of an owner back. Each shows the items after the deposit up to the next
/// checkpoint, or to the newest item if there is none: the contract makes one after 128 items at most.
pub fn reclaims(
    known: &Known<'_>,
    owner: &Digest,
    key: [u64; 5],
    to: Address,
) -> Result<Vec<Call>, LeavingError> {
    let items = waiting(known)?;
    let head = known.state.head();
    let digests: Vec<Digest> = items
        .iter()
        .map(|item| item.digest(known.place()))
        .collect();
    let (mut calls, mut commitment) = (vec![], head.queue_commitment);
    for (number, item) in items.iter().enumerate() {
        let before = commitment;
        commitment = extend_chain(&before, &digests[number]);
        let Item::Deposit {
            asset,
            amount,
            fee,
            owner: found,
        } = item.item
        else {
            continue;
        };
        let position = item.position;
        if found != *owner || known.events.reclaimed.contains(&position) {
            continue;
        }
        let (place, end) = end_after(known, position, items.len());
        let shown = digests[number + 1..end].iter();
        let shown = shown.flat_map(|digest| word(digest).to_be_bytes::<32>());
        let call = reclaimCall {
            waiting: Waiting {
                position,
                asset,
                amount,
                fee,
                commitment: word(&before),
            },
            items: Bytes::from_iter(shown),
            place: U256::from(place),
            key,
            to,
        };
        let step = Step::Reclaim {
            position,
            asset: asset.into(),
            amount: amount.saturating_add(fee),
        };
        calls.push(Call::new(step, &call));
    }
    Ok(calls)
}

/// The items that no batch took, in order.
fn waiting(known: &Known<'_>) -> Result<Vec<Queued>, LeavingError> {
    let first = known.state.head().queue_count;
    let items = known.events.items.range(first..);
    let mut waiting = vec![];
    for (missing, (&position, item)) in (first..).zip(items) {
        if position != missing {
            return Err(LeavingError::Queue { missing });
        }
        waiting.push(*item);
    }
    let start = known.state.head().queue_commitment;
    let found = word(&chain(start, &waiting, known.place()));
    let expected = known.queue_commitment;
    if found != expected {
        let count = waiting.len();
        return Err(LeavingError::QueueChain {
            count,
            found,
            expected,
        });
    }
    Ok(waiting)
}

/// The end of the queue that the contract knows next after an item: the place of a checkpoint, of no
/// meaning if it is the newest item, and how many of the waiting items come before it.
fn end_after(known: &Known<'_>, position: u64, waiting: usize) -> (u64, usize) {
    let taken = known.state.head().queue_count;
    let checkpoints = known.events.checkpoints.iter();
    let after = checkpoints.filter(|(_, count)| **count > position);
    let next = after.min_by_key(|(_, count)| **count);
    let next = next.map(|(place, count)| (*place, (count - taken) as usize));
    next.unwrap_or((0, waiting))
}
