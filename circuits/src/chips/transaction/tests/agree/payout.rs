//! Cases of payouts.

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::payout::{CancelPayout, Entry, Pay, Payout, list_of};
use shardfold_protocol::field::F;

use super::super::*;
use super::exchange::{rich, until};
use super::{Case, fixture_records};
use crate::chips::fixture::defi::{self, *};

pub(super) fn payout(random: &mut Random) -> Case {
    let (records, balance) = rich(random);
    let mut body = Payout {
        index: random.pick(&[NEW, VACANT]),
        total: random.below(balance - 1_000),
        valid_until: until(random),
        fee: fee_in(ASSET, random.pick(&[0, 1, 900])),
        ..defi::payout()
    };
    if random.below(20) == 0 {
        body.total = balance;
    }
    Case::new(records, signed(&body))
}

/// Up to five entries to different vaults.
fn entries(random: &mut Random) -> Vec<Entry> {
    let mut vaults = vec![BOB, OPERATOR, CARLA, ALICE];
    let count = 1 + random.below(4);
    let entries = (0..count).map(|_| Entry {
        to: vaults.swap_remove(random.below(vaults.len() as u64) as usize),
        amount: random.below(1 << 20),
    });
    entries.collect()
}

pub(super) fn pay(random: &mut Random) -> Case {
    let mut records = fixture_records();
    let mut entries = entries(random);
    if random.below(12) == 0 {
        let entry = random.below(entries.len() as u64) as usize;
        entries[entry].amount = random.pick(&[(1 << 62) - 1, 1 << 61, (1 << 62) - 1_000_000]);
    }
    let rests = list_of(F::from_u64(CHAIN_ID), &entries);
    let count = (1 + random.below(3) as usize).min(entries.len());
    let mut body = Pay::new(PAYOUT, &entries[..count], rests[count]);
    let remaining = random.pick(&[body.total, (1 << 62) - 1, 5_000_000]);
    records.insert(PAYOUT, payout_of(ASSET, remaining, rests[0]));
    match random.below(20) {
        0 => body.total += 1,
        1 => body.total = body.total.saturating_sub(1),
        2 => body.entries[0].amount += 1,
        3 => {
            let too_few = body.total.saturating_sub(1);
            records.insert(PAYOUT, payout_of(ASSET, too_few, rests[0]));
        }
        _ => {}
    }
    Case::new(records, unsigned(&body))
}

pub(super) fn cancel(random: &mut Random) -> Case {
    let (mut records, balance) = rich(random);
    let room = (1 << 62) - 1 - balance;
    let remaining = random.pick(&[0, 5, REMAINING, room]);
    records.insert(PAYOUT, payout_of(ASSET, remaining, rests()[0]));
    let body = CancelPayout {
        to: if random.below(20) == 0 { CARLA } else { ALICE },
        valid_until: until(random),
        fee: fee_in(ASSET, random.pick(&[0, 1, 900])),
        ..defi::cancel_payout()
    };
    Case::new(records, signed(&body))
}
