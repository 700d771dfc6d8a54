//! What is no record: withdrawals that nobody has claimed, and deposits that no batch took.

use std::collections::BTreeSet;

use alloy_primitives::{Address, Bytes, U256};
use p3_field::{PrimeCharacteristicRing as _, PrimeField64 as _};
use shardfold_protocol::address::Address as ExitAddress;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::extend_chain;

use super::{Call, Exit, Gone, Known, LeavingError, Step};
use crate::encoding::word;
use crate::interface::IRollup::{Waiting, claimCall, reclaimCall, showLinkCall};
use crate::queue::{Item, Queued};
use crate::withdrawals::{Withdrawal, WithdrawalTree};

/// So many items one call shows at most: each takes 16 thousand gas, of which a transaction has 16
/// million.
const SHOWN: usize = 512;

/// Adds the calls that pay the withdrawals to an address.
pub fn claims(known: &Known<'_>, to: Address, exit: &mut Exit) {
    let address = ExitAddress(to.into_array()).elements();
    let base_chain = F::from_u32(known.base_chain);
    let is_ours = |withdrawal: &Withdrawal| {
        withdrawal.address == address && withdrawal.base_chain == base_chain
    };
    let mut first = 0;
    for batch in known.batches {
        let mut tree = None;
        for (place, withdrawal) in batch.withdrawals.iter().enumerate() {
            let number = first + place as u64;
            if !is_ours(withdrawal) {
                continue;
            }
            if known.events.claimed.contains(&number) {
                exit.gone.push(Gone::Withdrawal { number });
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
            exit.calls.push(Call::new(step, &call));
        }
        first = batch.head.withdrawal_count;
    }
}

/// The items that no batch took, and the ends of them that the contract knows.
struct Queue<'a> {
    items: Vec<&'a Queued>,
    /// The digest of each.
    digests: Vec<Digest>,
    /// The chain before each, and after the last.
    chain: Vec<Digest>,
    /// How many items all batches took.
    taken: u64,
    /// How many of these items come before an end that the contract knows, in ascending order; with the
    /// place of the checkpoint that it is, if it is one.
    ends: Vec<(usize, Option<u64>)>,
}

/// Adds the calls that pay deposits of an owner back, each of which shows the items after the deposit up
/// to an end that the contract knows. Where that is far, `showLink` makes nearer ones known before.
pub fn reclaims(
    known: &Known<'_>,
    owner: &Digest,
    key: [u64; 5],
    to: Address,
    exit: &mut Exit,
) -> Result<(), LeavingError> {
    let queue = Queue::new(known)?;
    let (mut links, mut reclaims) = (BTreeSet::new(), vec![]);
    for (number, item) in queue.items.iter().enumerate() {
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
        if found != *owner {
            continue;
        }
        if known.events.reclaimed.contains(&position) {
            exit.gone.push(Gone::Deposit { position });
            continue;
        }
        let (end, place) = queue.end_after(number, &mut links);
        let call = reclaimCall {
            waiting: Waiting {
                position,
                asset,
                amount,
                fee,
                commitment: word(&queue.chain[number]),
            },
            items: queue.shown(number + 1, end),
            place,
            key,
            to,
        };
        let step = Step::Reclaim {
            position,
            asset: asset.into(),
            amount: amount.saturating_add(fee),
        };
        reclaims.push(Call::new(step, &call));
    }
    // From the last one, which leads to what is known, to the first.
    let links = links.into_iter().rev();
    exit.calls.extend(links.map(|link| queue.show_link(link)));
    exit.calls.extend(reclaims);
    Ok(())
}

impl<'a> Queue<'a> {
    fn new(known: &Known<'a>) -> Result<Self, LeavingError> {
        let head = known.state.head();
        let taken = head.queue_count;
        let mut items = vec![];
        for (missing, (&position, item)) in (taken..).zip(known.events.items.range(taken..)) {
            if position != missing {
                return Err(LeavingError::Queue { missing });
            }
            items.push(item);
        }
        let place = known.place();
        let digests: Vec<_> = items.iter().map(|item| item.digest(place)).collect();
        let mut last = head.queue_commitment;
        let mut chain = vec![last];
        for digest in &digests {
            last = extend_chain(&last, digest);
            chain.push(last);
        }
        let (found, expected) = (word(&last), known.queue_commitment);
        if found != expected {
            let count = items.len();
            return Err(LeavingError::QueueChain {
                count,
                found,
                expected,
            });
        }
        let within = |(place, count): (&u64, &u64)| {
            let end = usize::try_from(count.checked_sub(taken)?).ok()?;
            (end < items.len()).then_some((end, Some(*place)))
        };
        let mut ends: Vec<_> = known.events.checkpoints.iter().filter_map(within).collect();
        ends.push((items.len(), None));
        ends.sort_unstable();
        Ok(Self {
            items,
            digests,
            chain,
            taken,
            ends,
        })
    }

    /// The first end behind an item that can be shown from there by one call, and the place of the
    /// checkpoint that it is, of no meaning if it is none; adds the links that have to be shown before.
    fn end_after(&self, number: usize, links: &mut BTreeSet<(usize, usize, u64)>) -> (usize, U256) {
        let next = self.ends.partition_point(|(end, _)| *end <= number);
        let Some(&(end, place)) = self.ends.get(next) else {
            return (self.items.len(), U256::ZERO);
        };
        let place = place.unwrap_or_default();
        let mut near = end;
        while near - (number + 1) > SHOWN {
            links.insert((near - SHOWN, near, place));
            near -= SHOWN;
        }
        (near, U256::from(place))
    }

    /// Shows that the chain up to a count leads to a later one that is known.
    fn show_link(&self, (count, end, place): (usize, usize, u64)) -> Call {
        let count_in_all = self.taken + count as u64;
        let call = showLinkCall {
            count: U256::from(count_in_all),
            commitment: word(&self.chain[count]),
            items: self.shown(count, end),
            place: U256::from(place),
        };
        let step = Step::ShowLink {
            count: count_in_all,
        };
        Call::new(step, &call)
    }

    /// The digests of items, as bytes.
    fn shown(&self, first: usize, end: usize) -> Bytes {
        let digests = self.digests[first..end].iter();
        digests
            .flat_map(|digest| word(digest).to_be_bytes::<32>())
            .collect()
    }
}
