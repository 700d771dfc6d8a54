use shardfold_contracts::set::standard;
use shardfold_executor::workload::defi::every_kind;
use shardfold_executor::workload::{Pattern, Plan, Workload};
use shardfold_executor::{sequential, shards};
use shardfold_protocol::shape::Shape;
use shardfold_prover::shard_traces;
use shardfold_recursion::profile::Profile;

use super::*;

fn circuits(profile: Profile) -> CircuitSet {
    // No circuit is loaded or kept.
    CircuitSet::new(standard(), profile, std::path::Path::new("nowhere"))
}

fn cut(workload: &Workload, shapes: &[Shape]) -> Vec<ShardWitness> {
    let outcome = sequential::execute(standard(), &workload.state, &workload.batch).unwrap();
    let mut state = workload.state.clone();
    shards::cut(standard(), &mut state, &workload.batch, &outcome, shapes).unwrap()
}

/// Transfers, deposits and withdrawals in several tiny shards.
fn payments() -> Vec<ShardWitness> {
    let plan = Plan {
        seed: 5,
        pattern: Pattern::Mixed,
        vaults: 8,
        transactions: 24,
        keys: 3,
    };
    let shards = cut(&plan.build(), &[Shape::TINY]);
    assert!(shards.len() > 2);
    shards
}

fn sum(breakdown: &Breakdown) -> u64 {
    let Shared {
        records,
        nodes,
        fee_vaults,
        owners,
        fixed,
        padding,
    } = breakdown.shared;
    let own = breakdown.contracts.iter().map(|own| own.cells);
    own.sum::<u64>() + records + nodes + fee_vaults + owners + fixed + padding
}

/// Rows of a table that the shard uses, of how many each, written down once more.
fn rows(chip: &str, used: &Used) -> Option<usize> {
    Some(match chip {
        "transaction" => used.steps.used,
        "fee" => used.fee_vaults.used,
        "vault" => used.vaults.used,
        "muldiv" => used.divisions.used,
        "record" => used.records.used,
        "node" => used.nodes.used,
        "poseidon2" => used.permutations.used,
        "signature" => used.signatures.used,
        "variable_table" => 16 * used.signatures.used,
        "variable_base" | "fixed_base" => 32 * used.signatures.used,
        "fixed_table" | "range" => return None,
        other => panic!("no rows are known of {other}"),
    })
}

#[test]
fn cells_are_those_of_all_tables() {
    let circuits = circuits(Profile::UnsoundTest);
    let witnesses = payments();
    let breakdown = Breakdown::new(&circuits, &witnesses).unwrap();
    assert_eq!(breakdown.shards.len(), witnesses.len());
    assert_eq!(breakdown.transactions(), 24);
    let widths = circuits.stark(&Shape::TINY).unwrap().stark().widths();
    for (witness, shard) in witnesses.iter().zip(&breakdown.shards) {
        let traces = shard_traces(standard(), witness).unwrap().traces;
        let tables = traces.iter().zip(&widths);
        let cells = tables.map(|(trace, width)| {
            assert_eq!(trace.width, width.main);
            trace.values.len() / trace.width * width.total()
        });
        assert_eq!(shard.cells, cells.sum::<usize>() as u64);
    }
    assert_eq!(sum(&breakdown), breakdown.cells);
}

#[test]
fn padding_is_what_is_left() {
    let circuits = circuits(Profile::UnsoundTest);
    let breakdown = Breakdown::new(&circuits, &payments()).unwrap();
    let stark = circuits.stark(&Shape::TINY).unwrap().stark();
    let (mut padding, mut fixed) = (0, 0);
    for shard in &breakdown.shards {
        let tables = stark.chips().iter().zip(stark.widths());
        for ((chip, width), log_height) in tables.zip(stark.log_heights()) {
            let height = 1 << log_height;
            match rows(chip.name(), &shard.used) {
                Some(rows) => padding += (height - rows) * width.total(),
                None => fixed += height * width.total(),
            }
        }
    }
    assert!(padding > 0);
    assert_eq!(breakdown.shared.padding, padding as u64);
    assert_eq!(breakdown.shared.fixed, fixed as u64);
}

/// As docs/protocol.md has it: six permutations and a signature of a transfer, five permutations
/// of a deposit.
#[test]
fn a_transaction_takes_the_rows_that_are_written_down() {
    let circuits = circuits(Profile::UnsoundTest);
    let breakdown = Breakdown::new(&circuits, &payments()).unwrap();
    let stark = circuits.stark(&Shape::TINY).unwrap().stark();
    let row = |name: &str| {
        let mut tables = stark.chips().iter().zip(stark.widths());
        let (_, width) = tables.find(|(chip, _)| chip.name() == name).unwrap();
        width.total() as f64
    };
    let curve = row("signature")
        + 16.0 * row("variable_table")
        + 32.0 * (row("variable_base") + row("fixed_base"));
    let each = |name: &str| {
        let mut contracts = breakdown.contracts.iter();
        let found = contracts.find(|contract| contract.name == name).unwrap();
        assert_eq!(
            found.cells_each * found.transactions as f64,
            found.cells as f64
        );
        found.cells_each
    };
    let step = row("transaction");
    assert_eq!(each("transfer"), step + curve + 6.0 * row("poseidon2"));
    assert_eq!(each("deposit"), step + 5.0 * row("poseidon2"));
}

/// Ladders that stand in two tables are those of one signature all the same.
#[test]
fn a_signature_takes_as_many_cells_in_every_shape() {
    let circuits = circuits(Profile::Proven100);
    let signature = |shape| Tables::of(circuits.stark(&shape).unwrap()).signature;
    assert_eq!(signature(Shape::DENSE), signature(Shape::LARGE));
}

/// By which the executor chooses.
#[test]
fn a_shape_has_about_as_many_cells_as_it_says() {
    let profile = Profile::Proven100;
    let circuits = circuits(profile);
    for shape in profile.shapes() {
        let cells = Tables::of(circuits.stark(shape).unwrap()).all as f64;
        let ratio = shape.cells() as f64 / cells;
        assert!(
            (0.9..1.15).contains(&ratio),
            "{shape:?}: {ratio} of {cells}"
        );
    }
}

#[test]
fn every_kind_is_counted_in_the_shapes_of_a_profile() {
    let shapes = Profile::Proven100.shapes();
    let witnesses = cut(&every_kind(0), shapes);
    let breakdown = Breakdown::new(&circuits(Profile::Proven100), &witnesses).unwrap();
    assert_eq!(sum(&breakdown), breakdown.cells);
    let transactions: usize = witnesses.iter().map(|shard| shard.transactions.len()).sum();
    assert_eq!(breakdown.transactions(), transactions as u64);
    let has = |name| breakdown.contracts.iter().any(|own| own.name == name);
    assert!(has("swap_in") && has("liquidate") && has("pay"));
    for (shard, witness) in breakdown.shards.iter().zip(&witnesses) {
        assert_eq!(shard.blowup, 8, "the small shape is extended most");
        assert_eq!(shard.used.records.used, witness.records.len());
        assert!(shard.used.divisions.used > 0);
        for (name, room) in shard.used.named() {
            assert!(room.used <= room.limit, "{name}");
        }
    }
}
