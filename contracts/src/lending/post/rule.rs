//! The rule of a posting of collateral.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::position::Position;
use crate::lending::reasons::ZERO;
use crate::lending::signing::Signing;
use crate::lending::terms::{Terms, TermsParts};
use crate::machine::{Machine, Rule};
use crate::vaults::reasons::AMOUNT;

/// Posts collateral in a market; opens the position where nothing is.
#[derive(Clone, Copy, Debug)]
pub struct PostLaw;

impl Law for PostLaw {
    fn name(&self) -> &'static str {
        "post"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, position_at] = m.words();
        let amount = m.integer(AMOUNT_BITS, &AMOUNT)?;
        let words = [&at, &position_at, &amount].map(Clone::clone);
        m.nonzero(amount.clone(), &ZERO)?;
        let terms = Terms::read(m, &at, TermsParts::any())?;
        let signing = Signing::read(m, Domain::Post, &words, &terms.collateral)?;
        let owner = signing.pay(m, amount.clone())?;
        let (taken, mut position) = Position::take_or_open(m, &position_at, at, owner)?;
        position.add_collateral(m, amount)?;
        position.write(m, taken);
        Ok(nothing())
    }
}
