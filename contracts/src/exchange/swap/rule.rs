//! The rule of a swap: the pools before the last one are steps of their own.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::MAX_POOLS;
use super::body::{FIELDS_IN, FIELDS_OUT};
use crate::exchange::pool::{Exact, pass, reasons};
use crate::law::{Carried, Law, Path, Step, carry, nothing};
use crate::machine::{Machine, Rule};
use crate::total::Total;
use crate::vaults::{self, Credit, Payer, not_after, pay, put};

/// Swaps an exact amount.
#[derive(Clone, Copy, Debug)]
pub struct SwapInLaw;

/// Swaps for an exact amount.
#[derive(Clone, Copy, Debug)]
pub struct SwapOutLaw;

/// The only pool.
const ONLY: usize = 0;
/// The first of several pools.
const FIRST: usize = 1;
/// A pool between the first and the last one.
const MIDDLE: usize = 2;
/// The last of several pools.
const LAST: usize = 3;

const STEPS: &[Step] = &[
    Step {
        name: "only",
        is_first: true,
        next: &[],
    },
    Step {
        name: "first",
        is_first: true,
        next: &[MIDDLE, LAST],
    },
    Step {
        name: "middle",
        is_first: false,
        next: &[LAST],
    },
    Step {
        name: "last",
        is_first: false,
        next: &[],
    },
];

/// What a swap moves.
const TOTALS: &[Total] = &[
    Total::Loss {
        name: "paid",
        vault: "from",
    },
    Total::Gain {
        name: "received",
        vault: "to",
    },
];

/// Elements of a body besides the pools.
const OTHERS: usize = 10;

fn path(words: usize) -> Option<Path> {
    match words.checked_sub(OTHERS)? {
        1 => Path::new(&[ONLY]),
        2 => Path::new(&[FIRST, LAST]),
        MAX_POOLS => Path::new(&[FIRST, MIDDLE, LAST]),
        _ => None,
    }
}

impl Law for SwapInLaw {
    fn name(&self) -> &'static str {
        "swap_in"
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS_IN
    }

    fn totals(&self) -> &'static [Total] {
        TOTALS
    }

    fn path(&self, words: usize) -> Option<Path> {
        path(words)
    }

    fn step<M: Machine>(&self, step: usize, m: &mut M, c: Carried<M::E>) -> Rule<Carried<M::E>> {
        swap(Exact::In, step, m, c)
    }
}

impl Law for SwapOutLaw {
    fn name(&self) -> &'static str {
        "swap_out"
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS_OUT
    }

    fn totals(&self) -> &'static [Total] {
        TOTALS
    }

    fn path(&self, words: usize) -> Option<Path> {
        path(words)
    }

    fn step<M: Machine>(&self, step: usize, m: &mut M, c: Carried<M::E>) -> Rule<Carried<M::E>> {
        swap(Exact::Out, step, m, c)
    }
}

/// An asset and how much of it.
type Side<E> = (E, E);

#[inline(always)]
fn swap<M: Machine>(
    exact: Exact,
    step: usize,
    m: &mut M,
    carried: Carried<M::E>,
) -> Rule<Carried<M::E>> {
    let [d0, d1, d2, d3, asset, amount, asset_now, amount_now, ..] = carried;
    match step {
        ONLY => {
            let start = start(m)?;
            let pool = m.word();
            let message = vec![start.0.clone(), start.1.clone(), pool.clone()];
            let now = start.clone();
            finish(m, exact, message, pool, (start, now))
        }
        FIRST => {
            let start = start(m)?;
            let pool = m.word();
            let message = [start.0.clone(), start.1.clone(), pool.clone()];
            let [d0, d1, d2, d3] = m.hash(Domain::SwapPath, &message);
            let (asset_now, amount_now) = pass(m, exact, &pool, start.clone())?;
            let (asset, amount) = start;
            Ok(carry([
                d0, d1, d2, d3, asset, amount, asset_now, amount_now,
            ]))
        }
        MIDDLE => {
            let pool = m.word();
            let message = [d0, d1, d2, d3, pool.clone()];
            let [d0, d1, d2, d3] = m.hash(Domain::SwapPath, &message);
            let (asset_now, amount_now) = pass(m, exact, &pool, (asset_now, amount_now))?;
            Ok(carry([
                d0, d1, d2, d3, asset, amount, asset_now, amount_now,
            ]))
        }
        _ => {
            let pool = m.word();
            let message = vec![d0, d1, d2, d3, pool.clone()];
            let sides = ((asset, amount), (asset_now, amount_now));
            finish(m, exact, message, pool, sides)
        }
    }
}

/// The exact side.
#[inline(always)]
fn start<M: Machine>(m: &mut M) -> Rule<Side<M::E>> {
    let asset = m.word();
    let amount = m.integer(AMOUNT_BITS, &vaults::reasons::AMOUNT)?;
    m.nonzero(amount.clone(), &reasons::ZERO)?;
    Ok((asset, amount))
}

/// The last pool, what is signed, and the two vaults. `message` begins what is signed; the sides are
/// the exact one and that after the pools before.
#[inline(always)]
fn finish<M: Machine>(
    m: &mut M,
    exact: Exact,
    mut message: Vec<M::E>,
    pool: M::E,
    (start, now): (Side<M::E>, Side<M::E>),
) -> Rule<Carried<M::E>> {
    let [other, from, to] = m.words();
    let limit = m.integer(AMOUNT_BITS, &vaults::reasons::AMOUNT)?;
    let valid_until = m.word();
    let asset_in = match exact {
        Exact::In => start.0.clone(),
        Exact::Out => other.clone(),
    };
    let (fee, fee_vault) = m.fee(&asset_in)?;
    let nonce = m.word();
    message.extend([
        other.clone(),
        from.clone(),
        to.clone(),
        limit.clone(),
        valid_until.clone(),
        fee.clone(),
        fee_vault,
        nonce.clone(),
    ]);
    let domain = match exact {
        Exact::In => Domain::SwapIn,
        Exact::Out => Domain::SwapOut,
    };
    let digest = m.hash(domain, &message);
    not_after(m, valid_until)?;

    let (reached, amount) = pass(m, exact, &pool, now)?;
    m.equal(reached, other.clone(), &reasons::PATH)?;
    let (paid, asset_out, received, left) = match exact {
        Exact::In => (start.1, other, amount.clone(), amount - limit),
        Exact::Out => (amount.clone(), start.0, start.1, limit - amount),
    };
    m.range(&left, AMOUNT_BITS, &reasons::LIMIT)?;

    let payer = Payer {
        index: from,
        asset: asset_in,
        nonce,
        outgo: paid + fee,
    };
    let owner = pay(m, payer)?;
    m.signed(&owner, &digest)?;
    let gain = Credit {
        index: to,
        owner,
        asset: asset_out,
        amount: received,
    };
    put(m, gain)?;
    Ok(nothing())
}
