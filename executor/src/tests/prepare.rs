use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::set::standard;
use shardfold_protocol::curve::F5;
use shardfold_protocol::field::F;

use crate::prepare::{prepare, prepare_all};
use crate::workload::{Pattern, Plan};
use shardfold_contracts::readings::Prepared;

#[test]
fn all_are_prepared_as_each() {
    let plan = Plan {
        seed: 5,
        pattern: Pattern::Faulty,
        vaults: 700,
        transactions: 1_500,
        keys: 40,
    };
    let batch = plan.build().batch;
    let chain_id = F::from_u64(batch.chain_id);
    let each: Vec<Prepared> = batch
        .transactions
        .iter()
        .map(|transaction| prepare(standard(), transaction, chain_id))
        .collect();
    assert_eq!(prepare_all(standard(), &batch.transactions, chain_id), each);
    // Deposits, valid and invalid signatures are all there.
    let signed = |has_signed: bool| {
        let pairs = batch.transactions.iter().zip(&each);
        let found = pairs.filter(|(transaction, prepared)| {
            transaction.authorization.is_some() && prepared.authority.has_signed == has_signed
        });
        found.count()
    };
    assert!(signed(true) > 100 && signed(false) > 10);
    assert!(signed(true) + signed(false) < 1_500);
    // Another chain's signatures are all invalid.
    let elsewhere = prepare_all(standard(), &batch.transactions, chain_id + F::ONE);
    assert!(
        elsewhere
            .iter()
            .all(|prepared| !prepared.authority.has_signed)
    );
    assert_eq!(prepare_all(standard(), &[], chain_id), []);
}

/// A point that no decoder lets through is no reason to panic.
#[test]
fn a_key_outside_of_the_group_has_not_signed() {
    let plan = Plan {
        seed: 5,
        pattern: Pattern::Independent,
        vaults: 8,
        transactions: 2,
        keys: 4,
    };
    let mut batch = plan.build().batch;
    for (i, transaction) in batch.transactions.iter_mut().enumerate() {
        let signed = transaction.authorization.as_mut().unwrap();
        match i {
            0 => signed.public_key.0.x = F5::ZERO,
            _ => signed.signature.r.x = F5::ZERO,
        }
    }
    let chain_id = F::from_u64(batch.chain_id);
    let all = prepare_all(standard(), &batch.transactions, chain_id);
    for (transaction, prepared) in batch.transactions.iter().zip(all) {
        assert_eq!(prepare(standard(), transaction, chain_id), prepared);
        assert!(!prepared.authority.has_signed);
    }
}
