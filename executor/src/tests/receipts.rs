//! What receipts say that each transaction gave adds up to what the batch changed.

use std::collections::BTreeMap;

use shardfold_contracts::set::standard;
use shardfold_protocol::record::Index;

use super::many_batches::{execute, pool};
use crate::receipts::given;
use crate::workload::{Builder, Keys, Pattern, Plan, genesis};

#[test]
fn gains_add_up_to_what_changed() {
    let keys = Keys::new(3, 3);
    let state = genesis(&keys, 12);
    let pool = pool(2);
    let (mut fees, mut moved) = (0, 0);
    for seed in 0..100 {
        let plan = Plan {
            seed,
            pattern: Pattern::ALL[seed as usize % Pattern::ALL.len()],
            vaults: 12,
            transactions: 40,
            keys: 3,
        };
        let mut builder = Builder::new(&keys, &state);
        plan.push_all(&mut builder);
        let mut again = Builder::new(&keys, &state);
        plan.push_all(&mut again);
        let (batch, _) = again.prepare();
        let outcome = execute(&state, builder, &pool);
        let all = given(standard(), &state, &batch, &outcome).expect("of this batch");
        let are_accepted = outcome.accepted.iter().map(|accepted| accepted.position);
        let given = all.iter().enumerate().filter(|(_, given)| given.is_some());
        assert!(are_accepted.eq(given.map(|(position, _)| position)));

        let mut gains: BTreeMap<Index, i64> = BTreeMap::new();
        for given in all.iter().flatten() {
            for gain in given.gains() {
                *gains.entry(gain.index).or_default() += gain.change;
            }
            fees += given.fee.map_or(0, |fee| fee.amount);
            // A transfer, a deposit or a withdrawal moves one amount, whatever it is called.
            let amounts: Vec<u64> = given.totals.iter().map(|total| total.amount).collect();
            assert!(
                amounts.windows(2).all(|pair| pair[0] == pair[1]),
                "{given:?}"
            );
            moved += amounts.first().copied().unwrap_or_default();
        }
        for (index, after) in &outcome.changes {
            let before = state.tree().get(*index).vault();
            let before = before.map_or(0, |vault| vault.balance);
            let after = after.vault().expect("only vaults change").balance;
            let gain = gains.remove(index).unwrap_or_default();
            assert_eq!(
                before.checked_add_signed(gain),
                Some(after),
                "vault {index}"
            );
        }
        assert!(gains.values().all(|&gain| gain == 0), "{gains:?}");
    }
    assert!(fees > 0 && moved > 0);
}

#[test]
fn an_outcome_of_another_state_is_no_outcome() {
    let keys = Keys::new(3, 3);
    let state = genesis(&keys, 12);
    let mut builder = Builder::new(&keys, &state);
    let fee = shardfold_contracts::FeePayment {
        amount: 0,
        vault: 0,
    };
    builder.push(builder.transfer(1, 2, 5, fee));
    let (batch, prepared) = builder.prepare();
    let outcome = crate::sequential::run(standard(), &state, &batch, &prepared).expect("it runs");
    let poor = genesis(&Keys::new(3, 3), 0);
    let error = given(standard(), &poor, &batch, &outcome).expect_err("no vault is there");
    assert_eq!(error.reason.name(), "sender-missing");
}
