//! What each signed body ends with: the vault that signs, for how long, and the fee.

use p3_field::{Algebra, PrimeCharacteristicRing};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::record::Index;
use shardfold_protocol::transaction::{Field, FieldForm, word};

use crate::FeePayment;
use crate::machine::{Machine, Rule};
use crate::vaults::{Payer, not_after, pay};

/// The vault whose owner signs, which pays or gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Where it lies.
    pub vault: Index,
    /// Its nonce.
    pub nonce: u64,
    /// The last second of validity.
    pub valid_until: u64,
    /// The operator's fee, in the asset of the vault.
    pub fee: FeePayment,
}

/// Names of the last five elements of a signed body.
pub(super) const VAULT: Field = Field::new("vault", FieldForm::Small);
pub(super) const NONCE: Field = Field::new("nonce", FieldForm::Number);
pub(super) const VALID_UNTIL: Field = Field::new("valid_until", FieldForm::Number);
pub(super) const FEE: Field = Field::new("fee", FieldForm::Number);
pub(super) const FEE_VAULT: Field = Field::new("fee_vault", FieldForm::Small);

impl Signer {
    /// Returns a body's elements: these ones first.
    pub(super) fn after(&self, first: &[F]) -> Vec<F> {
        let own = [
            F::from_u32(self.vault),
            word(self.nonce),
            word(self.valid_until),
            word(self.fee.amount),
            F::from_u32(self.fee.vault),
        ];
        [first, &own].concat()
    }
}

/// The same in a rule, with the digest of the whole body.
pub(super) struct Signing<E> {
    vault: E,
    nonce: E,
    asset: E,
    fee: E,
    digest: [E; 4],
}

impl<E: Algebra<F>> Signing<E> {
    /// Reads the end of the body and hashes all of it; `first` is what was read before, `asset`
    /// what the vault must hold.
    pub fn read<M: Machine<E = E>>(
        m: &mut M,
        domain: Domain,
        first: &[E],
        asset: &E,
    ) -> Rule<Self> {
        let [vault, nonce, valid_until] = m.words();
        let (fee, fee_vault) = m.fee(asset)?;
        let own = [
            vault.clone(),
            nonce.clone(),
            valid_until.clone(),
            fee.clone(),
            fee_vault,
        ];
        let digest = m.hash(domain, &[first, &own[..]].concat());
        not_after(m, valid_until)?;
        Ok(Self {
            vault,
            nonce,
            asset: asset.clone(),
            fee,
            digest,
        })
    }

    /// Lets an amount and the fee leave the vault; returns its owner, who has signed. Caller: the
    /// amount stands for an integer above -2^62 and below 2^62; below zero it is a gain.
    pub fn pay<M: Machine<E = E>>(self, m: &mut M, amount: E) -> Rule<[E; 4]> {
        let payer = Payer {
            index: self.vault,
            asset: self.asset,
            nonce: self.nonce,
            outgo: amount + self.fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &self.digest)?;
        Ok(owner)
    }
}
