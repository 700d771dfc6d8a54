//! The rule of a collection of fees.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::law::{Carried, Law, nothing};
use crate::lending::market::Market;
use crate::lending::reasons::ZERO;
use crate::lending::terms::{Terms, TermsParts};
use crate::machine::{Machine, Part, Rule, Use};
use crate::total::Total;
use crate::vaults::reasons::{RECEIVER_ASSET, RECEIVER_BALANCE, RECEIVER_KIND};
use crate::vaults::shares_of;

use Part::{Any, Is};

/// Hands the shares that a market's fee is to the vault that its terms name. Nobody signs it.
#[derive(Clone, Copy, Debug)]
pub struct CollectLaw;

/// Reasons of a collection.
pub mod reasons {
    use crate::machine::Reason;

    /// Another vault than the one of the terms.
    pub static SHARE_VAULT: Reason = Reason::new(
        "share-vault",
        "found that the fee vault is {found}, the transaction says {expected}",
    );
}

impl Law for CollectLaw {
    fn name(&self) -> &'static str {
        "collect"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[Total::Gain {
            name: "collected",
            vault: "share_vault",
        }]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, share_vault] = m.words();
        let digest = m.hash(Domain::Collect, &[at.clone(), share_vault.clone()]);
        m.unsigned(&digest);

        let parts = TermsParts {
            fee_vault: Is(share_vault.clone(), &reasons::SHARE_VAULT),
            ..TermsParts::any()
        };
        Terms::read(m, &at, parts)?;
        let (taken, mut market) = Market::take(m, &at)?;
        let shares = core::mem::replace(&mut market.fee_shares, M::E::ZERO);
        m.nonzero(shares.clone(), &ZERO)?;
        market.write(m, taken);
        // Whoever owns it: the terms say where it lies.
        let record = [
            Is(M::E::ONE, &RECEIVER_KIND),
            Is(shares_of::<M>(&at), &RECEIVER_ASSET),
            Any,
            Any,
            Any,
            Any,
            Any,
            Any,
        ];
        let (taken, found) = m.take(&share_vault, Use::Write, record)?;
        let [kind, asset, balance, nonce, o0, o1, o2, o3] = found;
        let sum = balance + shares;
        m.range(&sum, AMOUNT_BITS, &RECEIVER_BALANCE)?;
        m.write(taken, [kind, asset, sum, nonce, o0, o1, o2, o3]);
        Ok(nothing())
    }
}
