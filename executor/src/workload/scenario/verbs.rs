//! What a `[[do]]` can say: the list of statements. A new one is a line here.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::DeValue;

use super::airdrop::AirdropForm;
use super::error::{Fault, Wrong};
use super::form::own;
use super::lending::{
    BorrowForm, LiquidateForm, PostForm, RedeemForm, RepayForm, SupplyForm, TakeForm,
};
use super::liquidity::{AddForm, OpenForm, RemoveForm};
use super::markets::{AccrueForm, CollectForm, PriceForm};
use super::money::{DepositForm, PayForm, WithdrawForm};
use super::stage::Statement;
use super::trade::{BuyForm, SwapForm};

/// Reads what a statement says.
type Read = fn(Spanned<DeValue<'_>>) -> Result<Box<dyn Statement>, Wrong>;

/// A kind of statement, by the name that it is known by.
#[derive(Clone, Copy)]
pub(super) struct Verb {
    pub name: &'static str,
    pub read: Read,
}

static VERBS: &[Verb] = &[
    verb::<PayForm>("pay"),
    verb::<DepositForm>("deposit"),
    verb::<WithdrawForm>("withdraw"),
    verb::<SwapForm>("swap"),
    verb::<BuyForm>("buy"),
    verb::<OpenForm>("open"),
    verb::<AddForm>("add"),
    verb::<RemoveForm>("remove"),
    verb::<AirdropForm>("airdrop"),
    verb::<PriceForm>("price"),
    verb::<SupplyForm>("supply"),
    verb::<RedeemForm>("redeem"),
    verb::<PostForm>("post"),
    verb::<TakeForm>("take"),
    verb::<BorrowForm>("borrow"),
    verb::<RepayForm>("repay"),
    verb::<LiquidateForm>("liquidate"),
    verb::<AccrueForm>("accrue"),
    verb::<CollectForm>("collect"),
];

const fn verb<S: Statement + DeserializeOwned + 'static>(name: &'static str) -> Verb {
    Verb {
        name,
        read: |value| Ok(Box::new(own::<S>(value)?)),
    }
}

/// Returns the one verb among the names of a statement.
///
/// # Errors
/// None, or several.
pub(super) fn verb_of(names: &[String]) -> Result<Verb, Fault> {
    let found = VERBS
        .iter()
        .filter(|verb| names.iter().any(|name| name == verb.name));
    let found: Vec<&Verb> = found.collect();
    match found.as_slice() {
        [verb] => Ok(**verb),
        found => Err(Fault::Verbs {
            found: found.iter().map(|verb| verb.name.to_owned()).collect(),
            expected: VERBS.iter().map(|verb| verb.name.to_owned()).collect(),
        }),
    }
}
