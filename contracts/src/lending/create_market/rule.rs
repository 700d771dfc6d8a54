//! The rule of the opening of a market.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::record::{KIND_PRICE, KIND_TERMS};
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::market::Market;
use crate::lending::rates::{RatesRead, parameter};
use crate::lending::reasons as common;
use crate::lending::signing::Signing;
use crate::lending::{BONUS_SHARE, MARKET_LIMIT, MAX_BONUS, MAX_LLTV, PPM, constant};
use crate::machine::{Machine, Part, Reason, Rule};
use crate::vaults::{Credit, put, shares_of, take_empty};

/// Opens a market, its terms and its fee vault.
#[derive(Clone, Copy, Debug)]
pub struct CreateMarketLaw;

/// Reasons of the opening of a market.
pub mod reasons {
    use crate::machine::Reason;

    /// A place that is not empty.
    pub static TAKEN: Reason = Reason::new(
        "taken",
        "found a record where the market or its terms are to lie (an element {found})",
    );
    /// The highest place that there is, where terms would lie.
    pub static MARKET_INDEX: Reason = Reason::new(
        "market-index",
        "found a market at the index before the last, where its terms have no place",
    );
    /// A market of one asset.
    pub static ONE_ASSET: Reason = Reason::new("one-asset", "found the loan asset as collateral");
    /// A ratio of nothing.
    pub static LLTV_ZERO: Reason = Reason::new("lltv-zero", "found that nothing may be owed");
    /// A ratio too high.
    pub static LLTV: Reason = Reason::new(
        "lltv",
        "found a ratio that is {found} below the highest, expected 0 or more",
    );
    /// A scale that is none.
    pub static SCALE: Reason =
        Reason::new("scale", "found a scale of {found}, expected less than 2^62");
    /// A scale of nothing.
    pub static SCALE_ZERO: Reason = Reason::new("scale-zero", "found a scale of 0");
}

impl Law for CreateMarketLaw {
    fn name(&self) -> &'static str {
        "create_market"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [market, loan, collateral, price, share_vault] = m.words();
        let lltv = parameter(m, MAX_LLTV, &reasons::LLTV)?;
        let scale = m.integer(AMOUNT_BITS, &reasons::SCALE)?;
        let rates = RatesRead::read(m)?;
        let words = [
            &market,
            &loan,
            &collateral,
            &price,
            &share_vault,
            &lltv,
            &scale,
        ];
        let words = [&words.map(Clone::clone)[..], &rates.words()].concat();
        let signing = Signing::read(m, Domain::CreateMarket, &words, &loan)?;

        check(m, &market, [&loan, &collateral], [&lltv, &scale])?;
        let bonus = bonus(m, &lltv)?;
        let owner = signing.pay(m, M::E::ZERO)?;

        let opened = Market::new(m.now(), loan);
        open(m, &market, opened.record())?;
        let terms = [
            constant::<M>(KIND_TERMS),
            collateral,
            price.clone(),
            lltv,
            bonus,
            scale,
            rates.packed(),
            share_vault.clone(),
        ];
        open(m, &(market.clone() + F::ONE), terms)?;
        price_is_there(m, &price)?;
        // Now, so that nobody else opens a vault where the fees will go.
        let fees = Credit {
            index: share_vault,
            owner,
            asset: shares_of::<M>(&market),
            amount: M::E::ZERO,
        };
        put(m, fees)?;
        Ok(nothing())
    }
}

/// The terms have a place, the assets differ, and ratio and scale are not zero.
fn check<M: Machine>(
    m: &mut M,
    market: &M::E,
    [loan, collateral]: [&M::E; 2],
    [lltv, scale]: [&M::E; 2],
) -> Rule<()> {
    let from_last = market.clone() - F::from_u32(MARKET_LIMIT);
    m.nonzero(from_last, &reasons::MARKET_INDEX)?;
    m.nonzero(loan.clone() - collateral.clone(), &reasons::ONE_ASSET)?;
    m.nonzero(lltv.clone(), &reasons::LLTV_ZERO)?;
    m.nonzero(scale.clone(), &reasons::SCALE_ZERO)
}

/// Some price is at the index.
fn price_is_there<M: Machine>(m: &mut M, index: &M::E) -> Rule<()> {
    let kind = Part::Is(constant::<M>(KIND_PRICE), &common::PRICE_KIND);
    let mut record = [const { Part::Any }; 8];
    record[0] = kind;
    m.read(index, record).map(|_| ())
}

/// How much more a liquidator gets than he pays: less, the more may be owed.
fn bonus<M: Machine>(m: &mut M, lltv: &M::E) -> Rule<M::E> {
    let quotient: &'static Reason = &common::QUOTIENT;
    let ppm = constant::<M>(PPM);
    let share = constant::<M>(BONUS_SHARE);
    let above = ppm.clone() - lltv.clone();
    let discount = m.mul_div(&share, &above, &ppm, false, quotient)?;
    let factor = m.mul_div(&ppm, &ppm, &(ppm.clone() - discount), false, quotient)?;
    let most = constant::<M>(MAX_BONUS);
    let is_above = m.at_least(&factor, &most, AMOUNT_BITS);
    let above = m.product(&is_above, &(factor.clone() - most));
    Ok(factor - above)
}

/// Writes a record where nothing is.
fn open<M: Machine>(m: &mut M, index: &M::E, record: [M::E; 8]) -> Rule<()> {
    let taken = take_empty(m, index, &reasons::TAKEN)?;
    m.write(taken, record);
    Ok(())
}
