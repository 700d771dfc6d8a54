//! Batches whose transactions break rules.

use serde_json::Value;
use shardfold_contracts::FeePayment;
use shardfold_contracts::transfer::Transfer;
use shardfold_executor::workload::{BALANCE, Body, Builder, Keys, Pattern, Plan, genesis};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::batch::Batch;
use shardfold_protocol::files;
use shardfold_protocol::state::State;

use crate::common::{Sandbox, prove_arguments};

const FEE: FeePayment = FeePayment {
    amount: 3,
    vault: 7,
};

/// What makes a valid transfer break a rule.
type Change = fn(&mut Transfer);

/// A folder with a state and a batch.
fn sandbox(state: &State, batch: &Batch) -> Sandbox {
    let sandbox = Sandbox::new();
    let state = files::to_binary(&state.to_file()).expect("small");
    sandbox.write("genesis.bin", &state);
    sandbox.write("batch.bin", &files::to_binary(batch).expect("small"));
    sandbox
}

/// The reasons in the receipts, `None` for an accepted transaction.
fn receipts(sandbox: &Sandbox, more: &[&str]) -> Vec<Option<String>> {
    let mut arguments = vec!["execute", "batch.bin", "--receipts", "receipts.json"];
    arguments.extend(more);
    sandbox.ok(&arguments);
    let receipts: Value = serde_json::from_slice(&sandbox.read("receipts.json")).expect("JSON");
    let receipts = receipts.as_array().expect("a list").iter();
    receipts
        .map(|receipt| receipt["rejected"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn each_broken_rule_is_a_reason_in_the_receipts() {
    let keys = Keys::new(5, 8);
    let state = genesis(&keys, 8);
    let mut builder = Builder::new(&keys, &state);
    let transfer = |builder: &Builder<'_>, change: Change| {
        let Body::Transfer(mut transfer) = builder.transfer(0, 1, 100, FEE) else {
            unreachable!("the builder was asked for a transfer");
        };
        change(&mut transfer);
        Body::Transfer(transfer)
    };
    let valid = transfer(&builder, |_| {});
    let deposit = builder.deposit(2, 50, FEE);
    let mut expected = Vec::new();
    let mut push = |builder: &mut Builder<'_>, body, reason| {
        builder.push(body);
        expected.push(reason);
    };
    push(&mut builder, valid, None);
    push(
        &mut builder,
        valid,
        Some("has nonce 1, the transaction says 0"),
    );
    push(&mut builder, deposit, None);
    push(
        &mut builder,
        deposit,
        Some("found item 0 of the queue, expected 1"),
    );
    let changes: [(Change, &str); 8] = [
        (|t| t.nonce = 9, "has nonce 1, the transaction says 9"),
        (
            |t| t.amount = AMOUNT_LIMIT,
            "found an amount of 4611686018427387904",
        ),
        (|t| t.amount = BALANCE, "does not cover amount and fee"),
        (|t| t.to = 0, "found index 0 twice"),
        (
            |t| t.from = 4_000_000_000,
            "found a record of kind 0 at the sender's index",
        ),
        (
            |t| t.asset = 8,
            "found asset 7 in the sender's vault, expected 8",
        ),
        (|t| t.fee.vault = 99, "no vault at the fee vault's index 99"),
        (
            |t| t.to_owner.reverse(),
            "found a receiver's vault of another owner",
        ),
    ];
    for (change, reason) in changes {
        let body = transfer(&builder, change);
        push(&mut builder, body, Some(reason));
    }
    let mut early = builder.deposit(3, 50, FEE);
    if let Body::Deposit(deposit) = &mut early {
        deposit.position += 1;
    }
    push(
        &mut builder,
        early,
        Some("found item 2 of the queue, expected 1"),
    );
    builder.push_forged(transfer(&builder, |_| {}));
    builder.push_signed_by(transfer(&builder, |_| {}), 3);
    let batch = builder.sign();
    expected.push(Some("found a signature that is not of this transaction"));
    expected.push(Some("found the key of another owner"));

    let sandbox = sandbox(&state, &batch);
    for more in [[].as_slice(), &["--sequential"]] {
        let receipts = receipts(&sandbox, more);
        assert_eq!(receipts.len(), expected.len());
        for (position, (found, expected)) in receipts.iter().zip(&expected).enumerate() {
            match (found, expected) {
                (Some(found), Some(expected)) => {
                    assert!(
                        found.contains(expected),
                        "{position}: {found}, not {expected}"
                    );
                }
                _ => assert_eq!(found.as_deref(), *expected, "{position}"),
            }
        }
    }
    // The first ten reasons are shown, the rest is counted.
    let printed = sandbox.ok(&["execute", "batch.bin"]);
    assert_eq!(printed.count(" left out: "), 10, "{printed:?}");
    assert_eq!(printed.count("... and 3 more"), 1, "{printed:?}");

    sandbox.prove("proof.bin", &[]);
    let verified = sandbox.verify("proof.bin");
    assert_eq!(verified["transactions"], 2);
    assert_eq!(verified["after"]["queue_count"], 1);
}

#[test]
fn a_faulty_workload_is_proven_without_its_faults() {
    let workload = Plan {
        seed: 11,
        pattern: Pattern::Faulty,
        vaults: 8,
        transactions: 9,
        keys: 8,
    }
    .build();
    let sandbox = sandbox(&workload.state, &workload.batch);
    let executed = sandbox.ok(&["execute", "batch.bin", "--json"]).json();
    assert!(executed["rejected"].as_u64() > Some(0), "{executed}");
    sandbox.prove("proof.bin", &[]);
    let verified = sandbox.verify("proof.bin");
    assert_eq!(verified["after"]["state_root"], executed["state_root"]);
    assert_eq!(verified["transactions"], executed["transactions"]);
}

#[test]
fn nothing_to_prove_is_an_error_and_leaves_nothing() {
    let keys = Keys::new(5, 4);
    let state = genesis(&keys, 4);
    let empty = Builder::new(&keys, &state).sign();
    let mut builder = Builder::new(&keys, &state);
    for _ in 0..3 {
        builder.push_forged(builder.transfer(
            0,
            1,
            1,
            FeePayment {
                amount: 1,
                vault: 3,
            },
        ));
    }
    for (batch, rejected) in [(empty, 0), (builder.sign(), 3)] {
        let sandbox = sandbox(&state, &batch);
        let executed = sandbox.ok(&["execute", "batch.bin", "--json"]).json();
        assert_eq!(executed["transactions"], 0);
        assert_eq!(executed["rejected"], rejected);
        let error = sandbox.refused(&prove_arguments("proof.bin"));
        assert!(
            error.contains("batch.bin has no valid transaction"),
            "{error}"
        );
    }
}
