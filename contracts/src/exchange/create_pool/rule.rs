//! The rule of a pool's opening.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::exchange::pool::{MAX_FEE, MIN_SHARES, Pool};
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Reason, Rule};
use crate::total::Total;
use crate::vaults::{
    Credit, Debit, Payer, debit, not_after, pay, put, reasons, shares_of, take_empty,
};

/// Opens a pool.
#[derive(Clone, Copy, Debug)]
pub struct CreatePoolLaw;

/// Bits of a fee, and of what the highest one is above it: whole limbs.
const FEE_BITS: u32 = 32;

/// A pool on an index that is used.
static USED: Reason = Reason::new(
    "index-used",
    "found {found} in the record at the pool's index, expected nothing there",
);
/// A pool of one asset.
static ONE_ASSET: Reason = Reason::new("one-asset", "found the same asset on both sides");
/// A fee of more than a tenth.
static SWAP_FEE: Reason = Reason::new(
    "swap-fee",
    "found a fee of {found} millionths, expected at most 100000",
);
/// A pool without reserves.
static NO_RESERVES: Reason = Reason::new("no-reserves", "found a pool without reserves");
/// Reserves that are worth too few shares.
static FEW_SHARES: Reason = Reason::new(
    "few-shares",
    "found reserves for too few shares: expected more than 1000",
);

impl Law for CreatePoolLaw {
    fn name(&self) -> &'static str {
        "create_pool"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[
            Total::Loss {
                name: "paid_a",
                vault: "from_a",
            },
            Total::Loss {
                name: "paid_b",
                vault: "from_b",
            },
            Total::Gain {
                name: "shares",
                vault: "to",
            },
        ]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [pool, from_a, from_b, to, asset_a, asset_b] = m.words();
        let amount_a = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let amount_b = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let swap_fee = m.integer(FEE_BITS, &SWAP_FEE)?;
        let valid_until = m.word();
        let (fee, fee_vault) = m.fee(&asset_a)?;
        let nonce = m.word();
        let message = [
            pool.clone(),
            from_a.clone(),
            from_b.clone(),
            to.clone(),
            asset_a.clone(),
            asset_b.clone(),
            amount_a.clone(),
            amount_b.clone(),
            swap_fee.clone(),
            valid_until.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
        ];
        let digest = m.hash(Domain::CreatePool, &message);
        not_after(m, valid_until)?;

        let below = M::E::from(F::from_u64(MAX_FEE)) - swap_fee.clone();
        m.range(&below, FEE_BITS, &SWAP_FEE)?;
        m.nonzero(asset_a.clone() - asset_b.clone(), &ONE_ASSET)?;
        let shares = m.sqrt(&amount_a, &amount_b, &NO_RESERVES)?;
        let minted = shares.clone() - F::from_u64(MIN_SHARES);
        let more = minted.clone() - F::ONE;
        m.range(&more, AMOUNT_BITS, &FEW_SHARES)?;

        let taken = take_empty(m, &pool, &USED)?;
        let payer = Payer {
            index: from_a,
            asset: asset_a.clone(),
            nonce,
            outgo: amount_a.clone() + fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        let other = Debit {
            index: from_b,
            owner: owner.clone(),
            asset: asset_b.clone(),
            amount: amount_b.clone(),
        };
        debit(m, other)?;
        let opened = Pool {
            asset_a,
            asset_b,
            reserve_a: amount_a,
            reserve_b: amount_b,
            shares,
            fee: swap_fee,
        };
        m.write(taken, opened.record());
        let gain = Credit {
            index: to,
            owner,
            asset: shares_of::<M>(&pool),
            amount: minted,
        };
        put(m, gain)?;
        Ok(nothing())
    }
}
