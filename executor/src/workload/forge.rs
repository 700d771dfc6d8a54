//! Spoils signatures.

use shardfold_protocol::batch::Batch;
use shardfold_protocol::curve::Scalar;
use shardfold_protocol::signature::Signature;
use shardfold_protocol::transaction::Transaction;

use super::Random;

/// Spoils the signatures of `count` signed transactions, or of all if there are fewer, at
/// random positions, which it gives by ascending order. In turn: s is one too large; s is one
/// too small, so that the errors of the two cancel in an unweighted sum; R has the other sign;
/// the signature is that of another transaction.
pub fn forge(batch: &mut Batch, count: usize, seed: u64) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..batch.transactions.len())
        .filter(|&position| signature(&mut batch.transactions[position]).is_some())
        .collect();
    Random::new(seed).shuffle(&mut positions);
    positions.truncate(count);
    let mut previous = None;
    for (turn, &position) in positions.iter().enumerate() {
        let Some(signature) = signature(&mut batch.transactions[position]) else {
            continue;
        };
        let Signature { r, s } = *signature;
        let forged = match (turn % 4, previous) {
            (1, _) => Signature {
                r,
                s: s - Scalar::ONE,
            },
            (2, _) => Signature { r: -r, s },
            (3, Some(other)) if other != *signature => other,
            _ => Signature {
                r,
                s: s + Scalar::ONE,
            },
        };
        previous = Some(*signature);
        *signature = forged;
    }
    positions.sort_unstable();
    positions
}

fn signature(transaction: &mut Transaction) -> Option<&mut Signature> {
    let authorization = transaction.authorization.as_mut()?;
    Some(&mut authorization.signature)
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use shardfold_contracts::set::standard;
    use shardfold_protocol::field::F;

    use super::*;
    use crate::prepare::prepare_all;
    use crate::workload::{Pattern, Plan};

    #[test]
    fn exactly_the_forged_ones_are_not_signed() {
        let mut batch = Plan {
            seed: 4,
            pattern: Pattern::Mixed,
            vaults: 50,
            transactions: 60,
            keys: 4,
        }
        .build()
        .batch;
        let signed = |batch: &Batch| {
            let chain_id = F::from_u64(batch.chain_id);
            let prepared = prepare_all(standard(), &batch.transactions, chain_id).into_iter();
            prepared
                .map(|prepared| prepared.authority.has_signed)
                .collect::<Vec<_>>()
        };
        let before = signed(&batch);
        let forged = forge(&mut batch, 20, 9);
        assert_eq!(forged.len(), 20);
        let mut expected = before.clone();
        for &position in &forged {
            assert!(expected[position]);
            expected[position] = false;
        }
        assert_eq!(signed(&batch), expected);
        let all = forge(&mut batch, usize::MAX, 9);
        assert_eq!(all.len(), before.iter().filter(|&&signed| signed).count());
    }
}
