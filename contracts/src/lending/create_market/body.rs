//! What the transaction says.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::transaction::{Field, FieldForm, Kind, word};

use crate::law::Body;
use crate::lending::Rates;
use crate::lending::signing::{FEE, FEE_VAULT, NONCE, Signer, VALID_UNTIL, VAULT};

/// The signed content of the opening of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateMarket {
    /// Where the market is to lie, with its terms after it: two empty places.
    pub market: Index,
    /// What is lent: the asset of the signing vault.
    pub loan: Asset,
    /// What is posted for it.
    pub collateral: Asset,
    /// The price of the collateral, in the loan asset.
    pub price: Index,
    /// Where the signer gets the market's fee: an empty place.
    pub share_vault: Index,
    /// Which part of a collateral's value may be owed, in parts of a million: at most 980,000.
    pub lltv: u32,
    /// For so many units of the collateral the price is that of the loan asset; below 2^62.
    pub scale: u64,
    /// What borrowers pay.
    pub rates: Rates,
    /// The vault that signs.
    pub signer: Signer,
}

/// The parts of the body, in the order of its elements.
pub(super) const FIELDS: &[Field] = &[
    Field::new("market", FieldForm::Small),
    Field::new("loan", FieldForm::Number),
    Field::new("collateral", FieldForm::Number),
    Field::new("price", FieldForm::Small),
    Field::new("share_vault", FieldForm::Small),
    Field::new("lltv", FieldForm::Small),
    Field::new("scale", FieldForm::Number),
    Field::new("slope1", FieldForm::Small),
    Field::new("slope2", FieldForm::Small),
    Field::new("market_fee", FieldForm::Small),
    VAULT,
    NONCE,
    VALID_UNTIL,
    FEE,
    FEE_VAULT,
];

impl Body for CreateMarket {
    const KIND: Kind = Kind::new("create_market");

    fn words(&self) -> Vec<F> {
        let first = [
            F::from_u32(self.market),
            word(self.loan),
            word(self.collateral),
            F::from_u32(self.price),
            F::from_u32(self.share_vault),
            F::from_u32(self.lltv),
            word(self.scale),
        ];
        self.signer
            .after(&[&first[..], &self.rates.words()].concat())
    }
}
