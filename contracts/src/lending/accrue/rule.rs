//! The rule of an accrual.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::market::{Market, Side};
use crate::lending::rates::RatesRead;
use crate::lending::reasons::QUOTIENT;
use crate::lending::terms::{Terms, TermsParts};
use crate::lending::{KINK, MAX_ELAPSED, PPM, SMALL_BITS, SUPPLY_LIMIT, YEAR, constant};
use crate::machine::{Machine, Part, Rule};

/// Counts a market's interest up to a time. Nobody signs it.
#[derive(Clone, Copy, Debug)]
pub struct AccrueLaw;

/// Bits of the seconds by which an accrual may lie behind.
const TIME_BITS: u32 = 48;

/// Reasons of an accrual.
pub mod reasons {
    use crate::machine::Reason;

    /// Rates that are not those of the terms.
    pub static RATES: Reason = Reason::new(
        "rates",
        "found the rates {found} in the terms, the transaction says {expected}",
    );
    /// A time that has not come.
    pub static FUTURE: Reason = Reason::new(
        "future",
        "found an accrual until {found} seconds ago, expected 0 or more",
    );
    /// No seconds, or too many.
    pub static ELAPSED: Reason = Reason::new(
        "elapsed",
        "found {found} seconds away from a bound, expected 1 to 2^24 - 1",
    );
    /// An accrual that ends too early.
    pub static EARLY: Reason = Reason::new(
        "early",
        "found an accrual that ends neither now nor after 2^24 - 1 seconds",
    );
}

impl Law for AccrueLaw {
    fn name(&self) -> &'static str {
        "accrue"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, until] = m.words();
        let rates = RatesRead::read(m)?;
        let [slope1, slope2, fee] = rates.words();
        let digest = m.hash(
            Domain::Accrue,
            &[at.clone(), until.clone(), slope1, slope2, fee],
        );
        m.unsigned(&digest);

        let parts = TermsParts {
            rates: Part::Is(rates.packed(), &reasons::RATES),
            ..TermsParts::any()
        };
        Terms::read(m, &at, parts)?;
        let (taken, mut market) = Market::take_any_time(m, &at)?;
        let elapsed = until.clone() - market.time.clone();
        check_time(m, &until, &elapsed)?;

        let growth = growth(m, &market, &rates, &elapsed)?;
        market.supplied.assets += growth.interest.clone();
        market.borrowed.assets += growth.interest;
        market.supplied.shares += growth.fee_shares.clone();
        market.fee_shares += growth.fee_shares;
        market.time = until;
        market.write(m, taken);
        Ok(nothing())
    }
}

/// From 1 to 2^24 - 1 seconds have passed until a time that is now, or else as many as can be.
fn check_time<M: Machine>(m: &mut M, until: &M::E, elapsed: &M::E) -> Rule<()> {
    let ago = m.now() - until.clone();
    m.range(&ago, TIME_BITS, &reasons::FUTURE)?;
    let more = constant::<M>(MAX_ELAPSED) - elapsed.clone();
    for bounded in [elapsed.clone() - F::ONE, more.clone()] {
        m.range(&bounded, SMALL_BITS, &reasons::ELAPSED)?;
    }
    m.equal(ago * more, M::E::ZERO, &reasons::EARLY)
}

/// What an accrual adds.
struct Growth<E> {
    interest: E,
    fee_shares: E,
}

fn growth<M: Machine>(
    m: &mut M,
    market: &Market<M::E>,
    rates: &RatesRead<M::E>,
    elapsed: &M::E,
) -> Rule<Growth<M::E>> {
    let ppm = constant::<M>(PPM);
    let Side { assets, shares } = &market.supplied;
    // A market as large as can be is left as it is: then interest is counted of nothing.
    let most = constant::<M>(SUPPLY_LIMIT - 1);
    let [has_assets, has_shares] = [assets, shares].map(|x| m.at_least(&most, x, AMOUNT_BITS));
    let counts = m.product(&has_assets, &has_shares);
    let borrowed = m.product(&counts, &market.borrowed.assets);

    let all = assets.clone() + F::ONE;
    let utilisation = m.mul_div(&borrowed, &ppm, &all, false, &QUOTIENT)?;
    let rate = rate(m, rates, &utilisation)?;
    let part = m.product(&rate, elapsed);
    let whole = constant::<M>(PPM * YEAR);
    let interest = m.mul_div(&borrowed, &part, &whole, false, &QUOTIENT)?;

    let fee = m.mul_div(&interest, &rates.fee, &ppm, false, &QUOTIENT)?;
    let others = Side {
        assets: assets.clone() + interest.clone() - fee.clone(),
        shares: shares.clone(),
    };
    let fee_shares = others.shares_for(m, &fee, false)?;
    Ok(Growth {
        interest,
        fee_shares,
    })
}

/// The rate a year: up to the kink in proportion to the first slope, then to the second one too.
fn rate<M: Machine>(m: &mut M, rates: &RatesRead<M::E>, utilisation: &M::E) -> Rule<M::E> {
    let kink = constant::<M>(KINK);
    let is_above = m.at_least(utilisation, &kink, AMOUNT_BITS);
    let above = m.product(&is_above, &(utilisation.clone() - kink.clone()));
    let below = utilisation.clone() - above.clone();
    let first = m.mul_div(&rates.slope1, &below, &kink, false, &QUOTIENT)?;
    let rest = constant::<M>(PPM - KINK);
    let second = m.mul_div(&rates.slope2, &above, &rest, false, &QUOTIENT)?;
    Ok(first + second)
}
