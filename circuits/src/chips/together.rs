//! The ledger, the rules and the fee chip together: between them only the messages to other
//! chips are left over, and those are the ones that were noted.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::set::standard;
use shardfold_executor::sequential;
use shardfold_executor::shards::cut;
use shardfold_executor::workload::{Pattern, Plan, Workload};
use shardfold_protocol::hash::{Digest, compress_block};
use shardfold_protocol::shape::{FEE_CLOCK, Shape};
use shardfold_protocol::transaction::{FeePayment, Transaction};

use super::Chip;
use super::fixed_base::FixedBaseChip;
use super::fixed_table::FixedTableChip;
use super::fixture::*;
use super::node::tests::siblings_of;
use super::node::{self, NodeChip, TouchedNode};
use super::poseidon2::{self, Poseidon2Chip};
use super::range::{self, RangeChip};
use super::record::{self, RecordChip};
use super::signature::{self, SignatureChip, SignatureRequest};
use super::variable_base::VariableBaseChip;
use super::variable_table::VariableTableChip;
use crate::error::TraceError;
use crate::testing::{ChipTrace, accepts, cost, report};
use shardfold_protocol::field::F;

/// Net multiplicity of each message on one bus.
fn left_on(shard: &Shard, bus: &str) -> BTreeMap<Vec<F>, F> {
    let report = report(&shard.chips());
    assert!(report.violations.is_empty(), "{report}");
    let leftovers = report.leftovers.into_iter().filter(|left| left.bus == bus);
    leftovers.map(|left| (left.fields, left.net)).collect()
}

fn sum(messages: impl IntoIterator<Item = (Vec<F>, F)>) -> BTreeMap<Vec<F>, F> {
    let mut sums = BTreeMap::new();
    for (message, times) in messages {
        *sums.entry(message).or_insert(F::ZERO) += times;
    }
    sums
}

fn without_fees() -> Vec<Transaction> {
    vec![
        signed_transfer(to_bob(5, 0, ALICE_NONCE), 0),
        signed_withdraw(withdraw(5, 0, ALICE_NONCE + 1), 0),
        Transaction::Deposit(deposit(VACANT, 1, 0, DEPOSITS_BEFORE)),
    ]
}

// Honest.

#[test]
fn a_full_shard_is_accepted() {
    accepts(&Shard::of(mixed()).chips());
}

#[test]
fn every_partly_filled_shard_is_accepted() {
    for count in 1..mixed().len() {
        accepts(&Shard::of(mixed()[..count].to_vec()).chips());
    }
}

#[test]
fn a_shard_without_fees_is_accepted() {
    accepts(&Shard::of(without_fees()).chips());
}

/// The chips that hold the state, hash and check ranges, and the root before and after.
fn state_chips(
    shard: &Shard,
    siblings: impl FnOnce(&[TouchedNode]) -> Vec<Digest>,
) -> ([ChipTrace; 4], TouchedNode) {
    let shape = shard.witness.shape;
    let mut asks = shard.events.clone();
    let records = &shard.rows.records;
    let log_records = shape.log_transactions as usize + 1;
    let (record, leaves) = record::generate(records, log_records, &mut asks).unwrap();
    let log_nodes = shape.log_nodes as usize;
    let (node, root) = node::generate(&leaves, &siblings(&leaves), log_nodes, &mut asks).unwrap();
    let log_permutations = shape.log_permutations as usize;
    let poseidon2 = poseidon2::generate(&asks.hashes, log_permutations).unwrap();
    let chips = [
        ChipTrace::new(Chip::Record(RecordChip), record),
        ChipTrace::new(Chip::Node(NodeChip), node),
        ChipTrace::new(Chip::Poseidon2(Poseidon2Chip), poseidon2),
        ChipTrace::new(Chip::Range(RangeChip), range::generate(&asks.range)),
    ];
    (chips, root)
}

/// Nothing is violated, and what is left over are the messages of these signatures.
fn only_signatures_are_left_over(shard: &Shard, chips: &[ChipTrace]) {
    let found = report(chips);
    assert!(found.violations.is_empty(), "{found}");
    let others = found.leftovers.iter().filter(|l| l.bus != "signature");
    assert_eq!(others.count(), 0, "{found}");
    assert_eq!(found.leftovers.len(), shard.rows.signatures.len());
}

#[test]
fn with_the_state_only_signatures_are_left_over() {
    for transactions in [mixed(), without_fees()] {
        let shard = Shard::of(transactions);
        let (state, root) = state_chips(&shard, siblings_of);
        let mut chips = shard.chips().to_vec();
        let mut statement = shard.witness.statement;
        statement.before.state_root = root.old;
        statement.after.state_root = root.new;
        chips[0].public_values = statement.elements().to_vec();
        chips.extend(state);
        only_signatures_are_left_over(&shard, &chips);
        accepts(&chips);
    }
}

/// Returns all chips of a shard with one of everything.
pub fn whole() -> Vec<ChipTrace> {
    let mut transactions = mixed();
    // Into a vault whose nonce is not zero.
    transactions[1] = Transaction::Deposit(deposit(BOB, 250, 3, DEPOSITS_BEFORE));
    let mut shard = Shard::of(transactions);
    let required = shard.rows.signatures.iter().map(|required| {
        let transaction = &shard.witness.transactions[required.transaction];
        let (key, exit_address, signature) = transaction.signed_by().unwrap();
        SignatureRequest {
            key: *key,
            exit_address: *exit_address,
            signature: *signature,
            message: required.digest,
        }
    });
    let required: Vec<_> = required.collect();
    let id = F::from_u64(CHAIN_ID);
    let curve = signature::generate(&required, id, 2, &mut shard.events).unwrap();
    let (state, root) = state_chips(&shard, siblings_of);
    let mut chips = shard.chips().to_vec();
    let mut statement = shard.witness.statement;
    statement.before.state_root = root.old;
    statement.after.state_root = root.new;
    chips[0].public_values = statement.elements().to_vec();
    chips.extend(state);
    chips.extend([
        ChipTrace::with_public_values(Chip::Signature(SignatureChip), curve.signature, vec![id]),
        ChipTrace::new(Chip::VariableTable(VariableTableChip), curve.variable_table),
        ChipTrace::new(Chip::VariableBase(VariableBaseChip), curve.variable_base),
        ChipTrace::new(Chip::FixedBase(FixedBaseChip), curve.fixed_base),
        ChipTrace::new(Chip::FixedTable(FixedTableChip), curve.fixed_table),
    ]);
    chips
}

#[test]
fn nothing_is_left_over_among_all_chips() {
    let chips = whole();
    assert_eq!(chips.len(), Chip::all().len());
    let found = report(&chips);
    assert!(found.is_clean(), "{found}");
}

#[test]
fn shards_of_the_executor_hold() {
    for pattern in Pattern::ALL {
        let plan = Plan {
            seed: 5,
            pattern,
            vaults: 40,
            transactions: 50,
            keys: 3,
        };
        let Workload { mut state, batch } = plan.build();
        let outcome = sequential::execute(standard(), &state, &batch).unwrap();
        let witnesses = cut(standard(), &mut state, &batch, &outcome, &[Shape::SMALL]).unwrap();
        assert!(!witnesses.is_empty());
        for witness in witnesses {
            let log_height = witness.shape.log_transactions as usize;
            let shard = Shard::play(witness, log_height).unwrap();
            let (state, _) = state_chips(&shard, |_| shard.witness.siblings.clone());
            let chips = [shard.chips().as_slice(), &state].concat();
            only_signatures_are_left_over(&shard, &chips);
        }
    }
}

#[test]
fn a_table_of_one_row_holds() {
    for transaction in [&mixed()[0], &without_fees()[2]] {
        let shard = Shard::with_log_height(vec![transaction.clone()], 0).unwrap();
        let report = report(&shard.chips());
        assert!(report.violations.is_empty(), "{report}");
    }
}

#[test]
fn ledger_and_fee_bus_balance_among_the_five() {
    for transactions in [mixed(), without_fees()] {
        let shard = Shard::of(transactions);
        assert_eq!(left_on(&shard, "ledger"), BTreeMap::new());
        assert_eq!(left_on(&shard, "fee"), BTreeMap::new());
    }
}

#[test]
fn records_enter_once_and_leave_once() {
    let shard = Shard::of(mixed());
    let touched = shard.rows.records.iter().filter(|r| r.last_clock != 0);
    let expected = sum(touched.flat_map(|record| {
        let message = |clock: u32, content: [F; 8]| {
            let position = [F::from_u32(record.index), F::from_u32(clock)];
            [&position[..], &content].concat()
        };
        [
            (message(0, record.first.0), F::NEG_ONE),
            (message(record.last_clock, record.last.0), F::ONE),
        ]
    }));
    assert_eq!(expected.len(), 8, "four records are touched");
    assert_eq!(left_on(&shard, "state"), expected);
}

#[test]
fn what_others_serve_was_noted() {
    let shard = Shard::of(mixed());
    let hashes = shard.events.hashes.iter().map(|input| {
        let message = [&input[..], &compress_block(input)].concat();
        (message, F::ONE)
    });
    assert_eq!(left_on(&shard, "hash"), sum(hashes));
    let range = shard.events.range.iter();
    let range = range.map(|&value| (vec![F::from_u16(value)], F::ONE));
    assert_eq!(left_on(&shard, "range"), sum(range));
    let signatures = shard.rows.signatures.iter();
    let signatures = signatures.map(|s| ([s.owner, s.digest].concat(), F::ONE));
    assert_eq!(left_on(&shard, "signature"), sum(signatures));
    let statement = &shard.witness.statement;
    let (before, after) = (statement.before.state_root, statement.after.state_root);
    let root = [&[F::from_u8(32), F::ZERO][..], &before, &after].concat();
    assert_eq!(left_on(&shard, "node"), sum([(root, F::NEG_ONE)]));
}

#[test]
fn the_required_signatures_are_those_of_the_transactions() {
    let shard = Shard::of(mixed());
    let required = &shard.rows.signatures;
    let positions: Vec<_> = required.iter().map(|s| s.transaction).collect();
    assert_eq!(positions, [0, 2, 3]);
    for request in required {
        let transaction = &shard.witness.transactions[request.transaction];
        let (key, exit_address, signature) = transaction.signed_by().expect("no deposit");
        let id = F::from_u64(CHAIN_ID);
        assert_eq!(request.owner, key.owner(id, exit_address));
        assert!(key.verify(id, exit_address, &request.digest, signature));
    }
}

#[test]
fn permutations_are_as_the_protocol_counts_them() {
    // docs/protocol.md, "Shards", without what the signature, record and node chips hash.
    let count = |transactions| Shard::of(transactions).events.hashes.len();
    assert_eq!(count(mixed()[..1].to_vec()), 3 + 1);
    assert_eq!(count(without_fees()[2..].to_vec()), 2 + 1 + 2);
    let withdrawal = signed_withdraw(withdraw(1, 0, ALICE_NONCE), 0);
    assert_eq!(count(vec![withdrawal]), 1 + 2 + 2);
}

#[test]
fn constraints_have_degree_three_and_rows_these_widths() {
    let costs = Shard::of(mixed()).chips().map(|chip| cost(&chip.chip, 2));
    assert!(costs.iter().all(|cost| cost.degree == 3), "{costs:?}");
    let widths = costs.map(|cost| (cost.main, cost.permutation));
    assert_eq!(widths, [(42, 6), (53, 18), (42, 13), (39, 14), (15, 6)]);
}

// What cannot be generated.

fn error(transactions: Vec<Transaction>) -> TraceError {
    Shard::with_log_height(transactions, 2).unwrap_err()
}

#[test]
fn a_missing_record_is_named() {
    let body = deposit(99, 1, 0, DEPOSITS_BEFORE);
    let missing = error(vec![Transaction::Deposit(body)]);
    assert_eq!(missing, TraceError::MissingRecord { index: 99 });
}

#[test]
fn an_overdraft_cannot_be_played() {
    let found = error(vec![signed_transfer(to_bob(999_999, 2, ALICE_NONCE), 0)]);
    let expected = TraceError::Overdraft {
        index: ALICE,
        balance: 1_000_000,
        amount: 999_999,
        fee: 2,
    };
    assert_eq!(found, expected);
}

#[test]
fn a_balance_cannot_grow_out_of_range() {
    let limit = 1 << 62;
    for amount in [limit - 1_000_000, u64::MAX] {
        let body = deposit(BOB, amount, 0, DEPOSITS_BEFORE);
        let found = error(vec![Transaction::Deposit(body)]);
        let expected = TraceError::BalanceTooLarge {
            index: BOB,
            balance: 1_000_000,
            amount,
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn a_fee_out_of_range_has_no_limbs() {
    let body = deposit(BOB, 1, 1 << 48, DEPOSITS_BEFORE);
    let found = error(vec![Transaction::Deposit(body)]);
    let value = 1 << 48;
    assert_eq!(found, TraceError::OutOfRange { value, bits: 48 });
}

#[test]
fn a_record_cannot_be_accessed_twice_at_one_clock() {
    let mut body = to_bob(1, 0, ALICE_NONCE);
    body.to = ALICE;
    let found = error(vec![signed_transfer(body, 0)]);
    let (index, old, new) = (ALICE, 1, 1);
    assert_eq!(found, TraceError::ClockNotLater { index, old, new });
}

#[test]
fn fees_of_two_assets_cannot_go_to_one_vault() {
    let mut other = deposit(FOREIGN, 1, 2, DEPOSITS_BEFORE + 1);
    other.asset = OTHER_ASSET;
    let first = Transaction::Deposit(deposit(BOB, 1, 2, DEPOSITS_BEFORE));
    let found = error(vec![first, Transaction::Deposit(other)]);
    let (index, old, new) = (OPERATOR, FEE_CLOCK, FEE_CLOCK);
    assert_eq!(found, TraceError::ClockNotLater { index, old, new });
}

#[test]
fn a_fee_vault_must_be_a_vault() {
    let mut body = deposit(BOB, 1, 2, DEPOSITS_BEFORE);
    body.fee = FeePayment {
        amount: 2,
        vault: VACANT,
    };
    let found = error(vec![Transaction::Deposit(body)]);
    assert_eq!(found, TraceError::NotAVault { index: VACANT });
}

#[test]
fn more_transactions_than_rows_are_refused() {
    let found = Shard::with_log_height(mixed(), 1).unwrap_err();
    let expected = TraceError::TooManyRows {
        chip: "ledger",
        rows: 4,
        log_height: 1,
    };
    assert_eq!(found, expected);
}

#[test]
fn records_out_of_order_are_refused() {
    let mut witness = witness(mixed());
    witness.records.swap(0, 1);
    let found = crate::witness_rows::witness_rows(&witness).unwrap_err();
    let expected = TraceError::Order {
        position: 1,
        found: ALICE,
        previous: BOB,
    };
    assert_eq!(found, expected);
}
