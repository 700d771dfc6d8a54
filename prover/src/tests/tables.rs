//! Shards of contracts that use the tables of vaults and of divisions.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use shardfold_circuits::check::{Report, Table, check};
use shardfold_contracts::Contracts;
use shardfold_contracts::deposit::DepositLaw;
use shardfold_contracts::set::standard;
use shardfold_contracts::testing::pool::{TableTransfer, ToySwap};
use shardfold_contracts::transfer::TransferLaw;
use shardfold_contracts::withdraw::WithdrawLaw;
use shardfold_executor::outcome::{Outcome, Receipt};
use shardfold_executor::workload::{Pattern, Plan, Workload};
use shardfold_executor::{parallel, sequential, shards};
use shardfold_protocol::field::F;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;
use shardfold_recursion::security::stark_bits;

use crate::{CircuitSet, ShardCircuit, ShardStark, Traces, shard_traces};

static TRANSFERS: LazyLock<Contracts> = LazyLock::new(|| {
    let none = Contracts::none();
    let with_transfers = none.with(TableTransfer("transfer")).unwrap();
    with_transfers
        .with(DepositLaw)
        .unwrap()
        .with(WithdrawLaw)
        .unwrap()
});

/// Without exchange, payouts and lending.
static PAYMENTS: LazyLock<Contracts> = LazyLock::new(|| {
    let transfers = Contracts::none().with(TransferLaw).unwrap();
    transfers
        .with(DepositLaw)
        .unwrap()
        .with(WithdrawLaw)
        .unwrap()
});

static SWAPS: LazyLock<Contracts> = LazyLock::new(|| {
    let swaps = Contracts::none().with(ToySwap("transfer")).unwrap();
    swaps.with(DepositLaw).unwrap().with(WithdrawLaw).unwrap()
});

/// The standard list and one contract more: no transaction is one of it yet.
static ALL: LazyLock<Contracts> =
    LazyLock::new(|| standard().clone().with(ToySwap("toy_swap")).unwrap());

static SWAP_STARK: LazyLock<ShardStark> = LazyLock::new(|| {
    let parameters = Profile::UnsoundTest.stark(&Shape::TINY);
    ShardStark::new(&SWAPS, Shape::TINY, parameters).unwrap()
});

fn workload(seed: u64, pattern: Pattern, transactions: usize) -> Workload {
    let plan = Plan {
        seed,
        pattern,
        vaults: 8,
        transactions,
        keys: 3,
    };
    plan.build()
}

/// Executes in both ways, which must agree.
fn execute(contracts: &Contracts, workload: &Workload) -> Outcome {
    let (state, batch) = (&workload.state, &workload.batch);
    let expected = sequential::execute(contracts, state, batch).unwrap();
    let found = parallel::execute(contracts, state, batch).unwrap();
    assert_eq!(found, expected);
    expected
}

fn witnesses(contracts: &Contracts, workload: &Workload) -> Vec<ShardWitness> {
    let outcome = execute(contracts, workload);
    let mut state = workload.state.clone();
    shards::cut(
        contracts,
        &mut state,
        &workload.batch,
        &outcome,
        &[Shape::TINY],
    )
    .unwrap()
}

pub(super) fn report(stark: &ShardStark, traces: &Traces) -> Report {
    let values = traces.traces.iter().zip(&traces.public_values);
    let tables = stark.stark().chips().iter().zip(values);
    let tables: Vec<_> = tables
        .map(|(air, (trace, public_values))| Table {
            name: air.name(),
            air,
            trace,
            public_values,
        })
        .collect();
    check(&tables)
}

#[test]
fn tables_that_no_contract_speaks_to_are_left_out() {
    let names = |contracts: &'static Contracts| {
        let parameters = Profile::UnsoundTest.stark(&Shape::TINY);
        let stark = ShardStark::new(contracts, Shape::TINY, parameters).unwrap();
        let names: Vec<_> = stark
            .stark()
            .chips()
            .iter()
            .map(|chip| chip.name())
            .collect();
        ["vault", "muldiv"].map(|name| names.contains(&name))
    };
    assert_eq!(names(&PAYMENTS), [false, false]);
    assert_eq!(names(standard()), [false, true]);
    assert_eq!(names(&TRANSFERS), [true, false]);
    assert_eq!(names(&SWAPS), [true, true]);
}

/// The primitive does to vaults what `vaults::pay` and `vaults::credit` do, and says the same.
#[test]
fn a_transfer_through_the_table_is_a_transfer() {
    for pattern in Pattern::ALL {
        let workload = workload(11, pattern, 300);
        let expected = execute(standard(), &workload);
        assert_eq!(execute(&TRANSFERS, &workload), expected, "{pattern:?}");
    }
}

#[test]
fn swaps_are_executed() {
    for pattern in Pattern::ALL {
        let outcome = execute(&SWAPS, &workload(12, pattern, 300));
        let mut receipts = outcome.receipts.iter();
        let is_accepted = |receipt: &Receipt| matches!(receipt, Receipt::Accepted { .. });
        assert!(receipts.any(is_accepted), "{pattern:?}");
    }
}

#[test]
fn all_constraints_hold_and_all_buses_balance() {
    let parameters = Profile::UnsoundTest.stark(&Shape::TINY);
    let transfers = ShardStark::new(&TRANSFERS, Shape::TINY, parameters).unwrap();
    for stark in [&transfers, &SWAP_STARK] {
        for witness in witnesses(stark.contracts(), &workload(13, Pattern::Mixed, 24)) {
            let traces = shard_traces(stark.contracts(), &witness).unwrap();
            let report = report(stark, &traces);
            assert!(report.is_clean(), "{report}");
        }
    }
}

#[test]
fn a_list_with_both_tables_fits_each_profile() {
    for profile in Profile::ALL {
        for shape in profile.shapes() {
            let stark = ShardStark::new(&ALL, *shape, profile.stark(shape)).unwrap();
            let bits = stark_bits(stark.stark().parameters(), &stark.stark().size());
            let openings = stark.stark().size().batched_openings;
            println!("{openings} openings, {:.2} proven bits", bits.proven());
            assert!(profile.is_kept_by(&bits), "{profile:?} {shape:?} {bits:?}");
            let (rows, _) = ShardCircuit::cost(&stark, &profile.plonk()).unwrap();
            let (name, transactions) = (profile.name(), shape.transactions());
            println!("{name}, {transactions} transactions: {rows} rows");
            let capacity = 1 << profile.degree_bits();
            assert!(rows + 512 <= capacity, "{name} {shape:?}: {rows}");
        }
    }
}

#[test]
fn swaps_are_proven_natively_and_in_the_circuit() {
    let witness = &witnesses(&SWAPS, &workload(14, Pattern::Mixed, 8))[0];
    let mut swaps = witness.transactions.iter();
    assert!(swaps.any(|transaction| transaction.authorization.is_some()));
    let proof = SWAP_STARK
        .prove(shard_traces(&SWAPS, witness).unwrap())
        .unwrap();
    SWAP_STARK.verify(&proof, &witness.statement).unwrap();

    let cache = tempfile::tempdir().unwrap();
    let circuits = CircuitSet::new(&SWAPS, Profile::UnsoundTest, cache.path());
    let circuit = circuits.shard(&Shape::TINY).unwrap();
    let in_circuit = circuit
        .prove(&SWAP_STARK, &proof, &witness.statement)
        .unwrap();
    circuit.verify(&in_circuit).unwrap();

    let mut other = witness.statement;
    other.after.state_root[0] += F::ONE;
    assert!(SWAP_STARK.verify(&proof, &other).is_err());
    assert!(circuit.prove(&SWAP_STARK, &proof, &other).is_err());
}
