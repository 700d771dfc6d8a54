//! The rule of a payment of entries: one step for the payout, and one for each entry.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::record::KIND_PAYOUT;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, MAX_STEPS, Path, Step, nothing};
use crate::machine::{Machine, Part, Reason, Rule, Use};
use crate::payout::PAYOUT;
use crate::payout::list::prepend;
use crate::recorded::MAX_ACCESSES;
use crate::total::Total;
use crate::vaults::{gain, reasons};

use Part::{Any, Is};

/// Pays entries of a payout.
#[derive(Clone, Copy, Debug)]
pub struct PayLaw;

/// The most entries of one transaction: a step and a record each, beside the payout's own.
pub const MAX_PAID: usize = if MAX_STEPS < MAX_ACCESSES {
    MAX_STEPS - 1
} else {
    MAX_ACCESSES - 1
};

/// More than is left.
static REMAINING: Reason = Reason::new(
    "remaining",
    "found that {found} would remain in the payout: it does not hold what the entries add up to",
);
/// Entries of another list.
static LIST: Reason = Reason::new(
    "list",
    "found entries that are not the next ones of the list",
);
/// An entry of nothing.
static NOTHING: Reason = Reason::new("zero-amount", "found an entry of zero, which is never paid");
/// Entries of another sum.
static TOTAL: Reason = Reason::new(
    "total",
    "found entries that do not add up to the total: {found} is left of it",
);

/// The payout itself.
const PAYS: usize = 0;
/// An entry that others follow.
const ENTRY: usize = 1;
/// The last one.
const LAST: usize = 2;

impl Law for PayLaw {
    fn name(&self) -> &'static str {
        "pay"
    }

    fn steps(&self) -> &'static [Step] {
        &[
            Step {
                name: "payout",
                is_first: true,
                next: &[ENTRY, LAST],
            },
            Step {
                name: "entry",
                is_first: false,
                next: &[ENTRY, LAST],
            },
            Step {
                name: "last",
                is_first: false,
                next: &[],
            },
        ]
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Gains { name: "paid_out" }]
    }

    fn path(&self, words: usize) -> Option<Path> {
        let entries = words.checked_sub(6)?;
        let count = entries / 2;
        if entries % 2 != 0 || count == 0 || count > MAX_PAID {
            return None;
        }
        let mut steps = vec![ENTRY; count + 1];
        steps[0] = PAYS;
        steps[count] = LAST;
        Path::new(&steps)
    }

    fn step<M: Machine>(&self, step: usize, m: &mut M, c: Carried<M::E>) -> Rule<Carried<M::E>> {
        match step {
            PAYS => payout(m),
            ENTRY => entry(m, c),
            _ => last(m, c),
        }
    }
}

/// Takes the total out of the payout. Hands on the list's rest and the whole list, the asset, what is
/// left of the total, the payout's index and the total.
#[inline(always)]
fn payout<M: Machine>(m: &mut M) -> Rule<Carried<M::E>> {
    let at = m.word();
    let total = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
    let [r0, r1, r2, r3] = m.words();
    let kind = M::E::from(F::from_u64(KIND_PAYOUT));
    let record = [Is(kind, &PAYOUT), Any, Any, Any, Any, Any, Any, Any];
    let (taken, found) = m.take(&at, Use::Write, record)?;
    let [kind, asset, remaining, refund, l0, l1, l2, l3] = found;
    let left = remaining - total.clone();
    m.range(&left, AMOUNT_BITS, &REMAINING)?;
    let [n0, n1, n2, n3] = [&r0, &r1, &r2, &r3].map(Clone::clone);
    m.write(taken, [kind, asset.clone(), left, refund, n0, n1, n2, n3]);
    let unpaid = total.clone();
    Ok([r0, r1, r2, r3, l0, l1, l2, l3, asset, unpaid, at, total])
}

/// Pays one entry and puts it in front of the list's rest.
#[inline(always)]
fn entry<M: Machine>(m: &mut M, carried: Carried<M::E>) -> Rule<Carried<M::E>> {
    let [r0, r1, r2, r3, l0, l1, l2, l3, asset, unpaid, at, total] = carried;
    let to = m.word();
    let amount = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
    // Else a digest would not say how many entries are paid.
    m.nonzero(amount.clone(), &NOTHING)?;
    let [r0, r1, r2, r3] = prepend(m, [r0, r1, r2, r3], &to, &amount);
    // Each difference is an integer, so the sum of the entries is the total as integers are.
    let unpaid = unpaid - amount.clone();
    m.range(&unpaid, AMOUNT_BITS, &TOTAL)?;
    gain(m, &to, asset.clone(), amount)?;
    Ok([r0, r1, r2, r3, l0, l1, l2, l3, asset, unpaid, at, total])
}

/// Pays the last entry: now the entries are in front of the rest, and that must be the payout's list.
#[inline(always)]
fn last<M: Machine>(m: &mut M, carried: Carried<M::E>) -> Rule<Carried<M::E>> {
    let [r0, r1, r2, r3, l0, l1, l2, l3, _, unpaid, at, total] = entry(m, carried)?;
    let list = [r0, r1, r2, r3];
    for (found, wanted) in list.iter().zip([l0, l1, l2, l3]) {
        m.equal(found.clone(), wanted, &LIST)?;
    }
    m.equal(unpaid, M::E::ZERO, &TOTAL)?;
    let [r0, r1, r2, r3] = list;
    let digest = m.hash(Domain::Pay, &[at, total, r0, r1, r2, r3]);
    m.unsigned(&digest);
    Ok(nothing())
}
