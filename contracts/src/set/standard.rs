//! The list of the standard build: a new contract of it is one line here.

use std::sync::LazyLock;

use super::{Contracts, SetError};
use crate::deposit::DepositLaw;
use crate::exchange::{AddLiquidityLaw, CreatePoolLaw, RemoveLiquidityLaw, SwapInLaw, SwapOutLaw};
use crate::exit::ExitLaw;
use crate::lending::accrue::AccrueLaw;
use crate::lending::borrow::BorrowLaw;
use crate::lending::collect::CollectLaw;
use crate::lending::create_market::CreateMarketLaw;
use crate::lending::liquidate::LiquidateLaw;
use crate::lending::post::PostLaw;
use crate::lending::price::PriceLaw;
use crate::lending::redeem::RedeemLaw;
use crate::lending::repay::RepayLaw;
use crate::lending::supply::SupplyLaw;
use crate::lending::take::TakeLaw;
use crate::payout::{CancelPayoutLaw, PayLaw, PayoutLaw};
use crate::transfer::TransferLaw;
use crate::withdraw::WithdrawLaw;

static STANDARD: LazyLock<Contracts> =
    LazyLock::new(|| all().expect("a test makes the standard list"));

/// Returns the contracts of the standard build.
#[must_use]
pub fn standard() -> &'static Contracts {
    &STANDARD
}

fn all() -> Result<Contracts, SetError> {
    Contracts::none()
        .followed_by(TransferLaw)?
        .followed_by(DepositLaw)?
        .followed_by(WithdrawLaw)?
        .followed_by(ExitLaw)?
        .followed_by(CreatePoolLaw)?
        .followed_by(AddLiquidityLaw)?
        .followed_by(RemoveLiquidityLaw)?
        .followed_by(SwapInLaw)?
        .followed_by(SwapOutLaw)?
        .followed_by(PayoutLaw)?
        .followed_by(PayLaw)?
        .followed_by(CancelPayoutLaw)?
        .followed_by(PriceLaw)?
        .followed_by(CreateMarketLaw)?
        .followed_by(AccrueLaw)?
        .followed_by(CollectLaw)?
        .followed_by(SupplyLaw)?
        .followed_by(RedeemLaw)?
        .followed_by(PostLaw)?
        .followed_by(TakeLaw)?
        .followed_by(BorrowLaw)?
        .followed_by(RepayLaw)?
        .followed_by(LiquidateLaw)?
        .laid_out()
}
