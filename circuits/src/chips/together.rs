//! The transaction table and the fee chip together: between them only the messages to other
//! chips are left over, and those are the ones that were noted.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::nothing;
use shardfold_contracts::readings::{Context, Effect, Prepared, Run};
use shardfold_contracts::set::standard;
use shardfold_contracts::{Body as _, FeePayment};
use shardfold_executor::sequential;
use shardfold_executor::shards::cut;
use shardfold_executor::workload::{Pattern, Plan, Workload};
use shardfold_protocol::hash::{Digest, ZERO_DIGEST, compress_block};
use shardfold_protocol::head::{Entries, Head, Statement, extend_chain};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;

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
use super::transaction::TransactionChip;
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

fn without_fees() -> Vec<Play> {
    vec![
        signed_transfer(to_bob(5, 0, ALICE_NONCE), 0),
        signed_withdraw(withdraw(5, 0, ALICE_NONCE + 1), 0),
        deposited(deposit(VACANT, 1, 0, DEPOSITS_BEFORE)),
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

/// log2 of the rows of a table that holds so many; the records' has two at least.
fn log_of(rows: usize) -> usize {
    rows.next_power_of_two().ilog2().max(1) as usize
}

/// The chips that hold the state, hash and check ranges, and the root before and after.
fn state_chips(
    shard: &Shard,
    siblings: impl FnOnce(&[TouchedNode]) -> Vec<Digest>,
) -> ([ChipTrace; 4], TouchedNode) {
    let mut asks = shard.events.clone();
    let records = &shard.rows.records;
    let log_records = log_of(records.len());
    let Statement { before, after, .. } = &shard.statement;
    let data = &before.data_commitment;
    let (record, leaves) = record::generate(records, data, log_records, &mut asks).unwrap();
    let ends = [before.data_commitment, after.data_commitment].concat();
    let log_nodes = log_of(records.len() * node::DEPTH);
    let (node, root) = node::generate(&leaves, &siblings(&leaves), log_nodes, &mut asks).unwrap();
    let log_permutations = log_of(asks.hashes.len());
    let poseidon2 = poseidon2::generate(&asks.hashes, log_permutations).unwrap();
    let chips = [
        ChipTrace::with_public_values(Chip::Record(RecordChip), record, ends),
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
    for transactions in [
        mixed(),
        without_fees(),
        everything(),
        vec![cooked(ALICE_NONCE)],
        defi::in_turn(),
        lending::in_turn(),
    ] {
        let shard = Shard::with_log_height(transactions, 5).unwrap();
        let (state, root) = state_chips(&shard, siblings_of);
        let mut chips = shard.chips().to_vec();
        let mut statement = shard.statement;
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
    let mut shard = Shard::with_log_height(everything(), 4).unwrap();
    let required = shard.rows.signatures.iter().map(|required| {
        let signer = shard.plays[required.transaction]
            .signer
            .expect("it is signed");
        let account = key(signer);
        let id = F::from_u64(CHAIN_ID);
        let signed = account.authorization(account.sign(id, &required.digest));
        SignatureRequest {
            key: signed.public_key,
            exit_address: signed.exit_address,
            signature: signed.signature,
            message: required.digest,
        }
    });
    let required: Vec<_> = required.collect();
    let id = F::from_u64(CHAIN_ID);
    let curve = signature::generate(&required, id, 3, &[8], &mut shard.events).unwrap();
    let (state, root) = state_chips(&shard, siblings_of);
    let mut chips = shard.chips().to_vec();
    let mut statement = shard.statement;
    statement.before.state_root = root.old;
    statement.after.state_root = root.new;
    chips[0].public_values = statement.elements().to_vec();
    chips.extend(state);
    let [variable_base] = curve.variable_base.try_into().expect("one table");
    let [fixed_base] = curve.fixed_base.try_into().expect("one table");
    let variable_base_chip = Chip::VariableBase(VariableBaseChip { first: 0 });
    chips.extend([
        ChipTrace::with_public_values(Chip::Signature(SignatureChip), curve.signature, vec![id]),
        ChipTrace::new(Chip::VariableTable(VariableTableChip), curve.variable_table),
        ChipTrace::new(variable_base_chip, variable_base),
        ChipTrace::new(Chip::FixedBase(FixedBaseChip), fixed_base),
        ChipTrace::new(Chip::FixedTable(FixedTableChip), curve.fixed_table),
    ]);
    chips
}

/// Returns the table with what [`whole`] has not: as long as the time lies in the queue's chain,
/// it goes with no item of the queue.
pub fn kitchen() -> [ChipTrace; 1] {
    let again = cook(Cook {
        numbers: [5, 5],
        factor: 2,
        is_owed: false,
        fee: 1,
        nonce: ALICE_NONCE + 1,
    });
    [Shard::of(vec![cooked(ALICE_NONCE), again]).transaction]
}

#[test]
fn nothing_is_left_over_among_all_chips() {
    let chips = whole();
    assert_eq!(chips.len(), Chip::all(contracts()).len());
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
            // Those of the standard build, and the same in a table that has others too.
            for contracts in [standard(), contracts()] {
                let shard = Shard::play(contracts, &witness, log_height).unwrap();
                let (state, _) = state_chips(&shard, |_| witness.siblings.clone());
                let chips = [shard.chips().as_slice(), &state].concat();
                only_signatures_are_left_over(&shard, &chips);
            }
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
fn the_fee_bus_balances_between_the_two() {
    for transactions in [
        mixed(),
        without_fees(),
        everything(),
        defi::in_turn(),
        lending::in_turn(),
    ] {
        let shard = Shard::with_log_height(transactions, 5).unwrap();
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
    let statement = &shard.statement;
    let (before, after) = (statement.before.state_root, statement.after.state_root);
    let root = [&[F::from_u8(32), F::ZERO][..], &before, &after].concat();
    assert_eq!(left_on(&shard, "node"), sum([(root, F::NEG_ONE)]));
}

#[test]
fn the_required_signatures_are_those_of_the_transactions() {
    let shard = Shard::with_log_height(everything(), 4).unwrap();
    let required = &shard.rows.signatures;
    let positions: Vec<_> = required.iter().map(|s| s.transaction).collect();
    assert_eq!(positions, [0, 2, 3, 7, 8]);
    for request in required {
        assert_eq!(request.owner, owner(0));
    }
    let transactions = shard.statement.after.tx_commitment;
    let digests = entries(&everything()).into_iter();
    let digests: Vec<_> = digests.map(|entries| entries.transaction).collect();
    let before = shard.statement.before.tx_commitment;
    let chain = digests
        .iter()
        .fold(before, |chain, digest| extend_chain(&chain, digest));
    assert_eq!(chain, transactions);
    for request in required {
        assert_eq!(request.digest, digests[request.transaction]);
    }
}

/// What each transaction adds to the chains, as the executor's reading has it.
fn entries(plays: &[Play]) -> Vec<Entries> {
    let mut records: BTreeMap<_, _> = records().into_iter().collect();
    let mut context = Context {
        chain_id: F::from_u64(CHAIN_ID),
        time: NOW,
        queue_count: DEPOSITS_BEFORE,
    };
    let entries = plays.iter().map(|play| {
        let plan = contracts().plan(play.contract, &play.words).unwrap();
        let prepared = Prepared {
            digests: [ZERO_DIGEST; 2],
            authority: play.authority(),
        };
        let mut effect = Effect::default();
        let read = |index| records[&index];
        let mut run = Run::new(&play.words, &context, (&prepared, 0), &read, &mut effect);
        let mut carried = nothing();
        for step in plan.path.steps() {
            carried = plan.law.run(step, &mut run, carried).unwrap();
        }
        records.extend(effect.writes.iter().copied());
        context.queue_count += u64::from(effect.entries.queued.is_some());
        effect.entries
    });
    entries.collect()
}

#[test]
fn the_head_moves_as_the_executors_does() {
    for plays in [
        mixed(),
        everything(),
        vec![cooked(ALICE_NONCE)],
        defi::in_turn(),
        lending::in_turn(),
    ] {
        let shard = Shard::with_log_height(plays.clone(), 5).unwrap();
        let mut head: Head = shard.statement.before;
        for entries in entries(&plays) {
            head.extend(NOW, &entries);
        }
        head.state_root = shard.statement.after.state_root;
        head.data_commitment = data_after(&head.data_commitment, &shard.rows.records);
        assert_eq!(head, shard.statement.after);
    }
}

#[test]
fn permutations_are_as_the_protocol_counts_them() {
    // docs/protocol.md, "Shards", without what the signature, record and node chips hash.
    let count = |transactions| Shard::of(transactions).events.hashes.len();
    assert_eq!(count(mixed()[..1].to_vec()), 2 + 1);
    assert_eq!(count(without_fees()[2..].to_vec()), 2 + 1 + 2);
    let withdrawal = signed_withdraw(withdraw(1, 0, ALICE_NONCE), 0);
    assert_eq!(count(vec![withdrawal]), 1 + 2 + 2);
}

#[test]
fn constraints_have_degree_three_and_rows_these_widths() {
    let widths = [standard(), contracts()].map(|contracts| {
        let table = Chip::Transaction(TransactionChip { contracts });
        let cost = cost(&table, 4);
        assert_eq!(cost.degree, 3);
        (cost.main, cost.permutation)
    });
    assert_eq!(widths, [(206, 65), (214, 71)]);
}

// What cannot be generated.

fn error(transactions: Vec<Play>) -> TraceError {
    Shard::with_log_height(transactions, 2).unwrap_err()
}

fn rejected(transactions: Vec<Play>) -> (usize, &'static str) {
    match error(transactions) {
        TraceError::Rejected { position, reject } => (position, reject.reason.name()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_missing_record_is_named() {
    let transaction = deposit(99, 1, 0, DEPOSITS_BEFORE).unsigned();
    let witness = ShardWitness {
        transactions: vec![transaction],
        ..witness()
    };
    let missing = Shard::play(standard(), &witness, 2).unwrap_err();
    assert_eq!(missing, TraceError::MissingRecord { index: 99 });
}

#[test]
fn an_overdraft_cannot_be_played() {
    let found = rejected(vec![signed_transfer(to_bob(999_999, 2, ALICE_NONCE), 0)]);
    assert_eq!(found, (0, "balance"));
}

#[test]
fn a_balance_cannot_grow_out_of_range() {
    let body = deposit(BOB, (1 << 62) - 1_000_000, 0, DEPOSITS_BEFORE);
    assert_eq!(rejected(vec![deposited(body)]), (0, "receiver-balance"));
    let body = deposit(BOB, u64::MAX, 0, DEPOSITS_BEFORE);
    assert_eq!(rejected(vec![deposited(body)]), (0, "amount"));
}

#[test]
fn a_fee_out_of_range_has_no_limbs() {
    let body = deposit(BOB, 1, 1 << 48, DEPOSITS_BEFORE);
    assert_eq!(rejected(vec![deposited(body)]), (0, "fee"));
}

#[test]
fn a_record_cannot_be_accessed_twice_at_one_clock() {
    let mut body = to_bob(1, 0, ALICE_NONCE);
    body.to = ALICE;
    assert_eq!(rejected(vec![signed_transfer(body, 0)]), (0, "twice"));
    // Nor in two steps of one transaction.
    let twice = relay(&[(BOB, 1, 5), (BOB, 1, 6)], 0, ALICE_NONCE);
    assert_eq!(rejected(vec![twice]), (0, "twice"));
}

#[test]
fn fees_of_two_assets_cannot_go_to_one_vault() {
    let mut other = deposit(FOREIGN, 1, 2, DEPOSITS_BEFORE + 1);
    other.asset = OTHER_ASSET;
    let first = deposited(deposit(BOB, 1, 2, DEPOSITS_BEFORE));
    let found = error(vec![first, deposited(other)]);
    let (index, asset) = (OPERATOR, OTHER_ASSET);
    assert_eq!(found, TraceError::NoFeeVault { index, asset });
}

#[test]
fn a_fee_vault_must_be_a_vault() {
    let mut body = deposit(BOB, 1, 2, DEPOSITS_BEFORE);
    body.fee = FeePayment {
        amount: 2,
        vault: VACANT,
    };
    let found = error(vec![deposited(body)]);
    let (index, asset) = (VACANT, ASSET);
    assert_eq!(found, TraceError::NoFeeVault { index, asset });
}

#[test]
fn more_transactions_than_rows_are_refused() {
    let found = Shard::with_log_height(mixed(), 1).unwrap_err();
    let expected = TraceError::TooManyRows {
        chip: "transaction",
        rows: 3,
        capacity: 2,
    };
    assert_eq!(found, expected);
}

#[test]
fn records_out_of_order_are_refused() {
    let mut witness = witness();
    witness.records.swap(0, 1);
    let found = Shard::play(standard(), &witness, 2).unwrap_err();
    let expected = TraceError::Order {
        position: 1,
        found: ALICE,
        previous: BOB,
    };
    assert_eq!(found, expected);
}
