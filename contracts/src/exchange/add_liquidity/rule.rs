//! The rule of adding to a pool.

use shardfold_protocol::amount::AMOUNT_BITS;
use shardfold_protocol::hash::Domain;
use shardfold_protocol::transaction::Field;

use super::body::FIELDS;
use crate::exchange::pool::{self, Pool};
use crate::law::{Carried, Law, nothing};
use crate::machine::{Machine, Rule};
use crate::total::Total;
use crate::vaults::{Credit, Debit, Payer, debit, not_after, pay, put, reasons, shares_of};

/// Adds to a pool.
#[derive(Clone, Copy, Debug)]
pub struct AddLiquidityLaw;

impl Law for AddLiquidityLaw {
    fn name(&self) -> &'static str {
        "add_liquidity"
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
        let [at, from_a, from_b, to] = m.words();
        let shares = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let max_a = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let max_b = m.integer(AMOUNT_BITS, &reasons::AMOUNT)?;
        let valid_until = m.word();
        let (taken, pool) = pool::take(m, &at)?;
        let (fee, fee_vault) = m.fee(&pool.asset_a)?;
        let nonce = m.word();
        let message = [
            at.clone(),
            from_a.clone(),
            from_b.clone(),
            to.clone(),
            shares.clone(),
            max_a.clone(),
            max_b.clone(),
            valid_until.clone(),
            fee.clone(),
            fee_vault,
            nonce.clone(),
        ];
        let digest = m.hash(Domain::AddLiquidity, &message);
        not_after(m, valid_until)?;

        m.nonzero(shares.clone(), &pool::reasons::ZERO)?;
        // What the shares are worth, rounded up: the pool never loses.
        let otherwise = &pool::reasons::LIQUIDITY;
        let a = m.mul_div(&shares, &pool.reserve_a, &pool.shares, true, otherwise)?;
        let b = m.mul_div(&shares, &pool.reserve_b, &pool.shares, true, otherwise)?;
        let (left_a, left_b) = (max_a - a.clone(), max_b - b.clone());
        m.range(&left_a, AMOUNT_BITS, &pool::reasons::LIMIT)?;
        m.range(&left_b, AMOUNT_BITS, &pool::reasons::LIMIT)?;
        let after = Pool {
            reserve_a: pool.reserve_a + a.clone(),
            reserve_b: pool.reserve_b + b.clone(),
            shares: pool.shares + shares.clone(),
            ..pool
        };
        m.range(&after.reserve_a, AMOUNT_BITS, &pool::reasons::RESERVE)?;
        m.range(&after.reserve_b, AMOUNT_BITS, &pool::reasons::RESERVE)?;
        m.range(&after.shares, AMOUNT_BITS, &pool::reasons::SHARES)?;
        let (asset_a, asset_b) = (after.asset_a.clone(), after.asset_b.clone());
        m.write(taken, after.record());

        let payer = Payer {
            index: from_a,
            asset: asset_a,
            nonce,
            outgo: a + fee,
        };
        let owner = pay(m, payer)?;
        m.signed(&owner, &digest)?;
        let other = Debit {
            index: from_b,
            owner: owner.clone(),
            asset: asset_b,
            amount: b,
        };
        debit(m, other)?;
        let gain = Credit {
            index: to,
            owner,
            asset: shares_of::<M>(&at),
            amount: shares,
        };
        put(m, gain)?;
        Ok(nothing())
    }
}
