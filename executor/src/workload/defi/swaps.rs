//! People who swap, one direction and back.

use shardfold_contracts::FeePayment;
use shardfold_contracts::exchange::{SwapIn, SwapOut};

use super::people::{COIN, People};
use crate::workload::{Builder, Random};

/// How long a swap is valid, in seconds.
const VALID: u64 = 3_600;

/// Swaps of a person between the coin and their token.
pub(super) struct Swaps<'a> {
    people: &'a People,
}

impl<'a> Swaps<'a> {
    pub const fn new(people: &'a People) -> Self {
        Self { people }
    }

    /// One swap by whoever comes: three in four of an exact amount paid.
    ///
    /// # Panics
    /// Never: it is valid.
    pub fn swap(&self, builder: &mut Builder, random: &mut Random, step: usize) {
        let person = self.people.at(step);
        let pool = self.people.pool_of(person);
        let (coins, tokens) = (People::coins(person), People::tokens(person));
        let token = People::token(pool);
        let sells_coins = random.below(2) == 0;
        let amount = 1_000 + random.below(100_000);
        let (asset_in, asset_out, from, to, fee_vault) = match sells_coins {
            true => (COIN, token, coins, tokens, self.people.coin_fees()),
            false => (token, COIN, tokens, coins, self.people.token_fees(pool)),
        };
        let fee = FeePayment {
            amount: 1 + random.below(9),
            vault: fee_vault,
        };
        let valid_until = builder.time() + VALID;
        let nonce = builder.nonce(from);
        let pools = vec![self.people.pool(pool)];
        let signer = Some(person as usize);
        let pushed = if random.below(4) > 0 {
            let body = SwapIn {
                asset_in,
                amount_in: amount,
                pools,
                asset_out,
                from,
                to,
                min_out: amount / 2,
                valid_until,
                fee,
                nonce,
            };
            builder.push_body(signer, &body)
        } else {
            let body = SwapOut {
                asset_out,
                amount_out: amount,
                pools,
                asset_in,
                from,
                to,
                max_in: amount * 2,
                valid_until,
                fee,
                nonce,
            };
            builder.push_body(signer, &body)
        };
        pushed.expect("the pools are deep and everybody has enough");
    }
}
