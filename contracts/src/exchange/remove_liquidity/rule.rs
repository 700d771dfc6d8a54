//! The rule of taking out of a pool.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use p3_field::PrimeCharacteristicRing;

use super::body::FIELDS;
use crate::exchange::pool::{self, MIN_SHARES, Pool};
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Rule};
use crate::total::Total;
use crate::vaults::{Credit, Debit, Payer, debit, not_after, pay, put, reasons, shares_of};

/// Takes out of a pool.
#[derive(Clone, Copy, Debug)]
pub struct RemoveLiquidityLaw;

impl Law for RemoveLiquidityLaw {
    fn name(&self) -> &'static str {
        "remove_liquidity"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn totals(&self) -> &'static [Total] {
        &[
            Total::Gain {
                name: "received_a",
                vault: "to_a",
            },
            Total::Gain {
                name: "received_b",
                vault: "to_b",
            },
            Total::Loss {
                name: "shares",
                vault: "from",
            },
        ]
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let [at, to_a, to_b, from] = m.words();
        let shares = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let min_a = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let min_b = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let valid_until = m.word();
        let (taken, pool) = pool::take(m, &at)?;
        let (fee, fee_vault) = m.fee(&pool.asset_a)?;
        let nonce = m.word();
        let message = [
            at.clone(),
            to_a.clone(),
            to_b.clone(),
            from.clone(),
            shares.clone(),
            min_a.clone(),
            min_b.clone(),
            valid_until.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
        ];
        let digest = m.hash(Domain::RemoveLiquidity, &message);
        not_after(m, valid_until)?;

        m.nonzero(shares.clone(), &pool::reasons::ZERO)?;
        // What the shares are worth, rounded down: the pool never loses.
        let otherwise = &pool::reasons::LIQUIDITY;
        let a = m.mul_div(&shares, &pool.reserve_a, &pool.shares, false, otherwise)?;
        let b = m.mul_div(&shares, &pool.reserve_b, &pool.shares, false, otherwise)?;
        let (above_a, above_b) = (a.clone() - min_a, b.clone() - min_b);
        m.range(&above_a, AMOUNT_BITS, &pool::reasons::LIMIT)?;
        m.range(&above_b, AMOUNT_BITS, &pool::reasons::LIMIT)?;
        // With fewer shares than all, less than all of each reserve goes.
        let after = Pool {
            reserve_a: pool.reserve_a - a.clone(),
            reserve_b: pool.reserve_b - b.clone(),
            shares: pool.shares - shares.clone(),
            ..pool
        };
        let held = after.shares.clone() - F::from_u64(MIN_SHARES);
        m.range(&held, AMOUNT_BITS, &pool::reasons::LAST_SHARES)?;
        let (asset_a, asset_b) = (after.asset_a.clone(), after.asset_b.clone());
        m.write(taken, after.record());

        let payer = Payer {
            index: to_a,
            asset: asset_a,
            nonce,
            outgo: fee - a,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        let given = Debit {
            index: from,
            owner: owner.clone(),
            asset: shares_of::<M>(&at),
            amount: shares,
        };
        debit(m, given)?;
        let gain = Credit {
            index: to_b,
            owner,
            asset: asset_b,
            amount: b,
        };
        put(m, gain)?;
        Ok(nothing())
    }
}
