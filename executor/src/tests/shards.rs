use crate::validate::{WitnessError, validate};
use p3_field::PrimeCharacteristicRing;
use shardfold_contracts::set::standard;
use shardfold_contracts::testing::pool::TableTransfer;
use shardfold_contracts::usage::{Resource, ShapeExceeded};
use shardfold_contracts::{Contracts, FeePayment};
use shardfold_protocol::batch::Batch;
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::head::{Head, LEAP_LIMIT, OutOfBounds, Statement, TIME_LIMIT, TimeError};
use shardfold_protocol::record::Index;
use shardfold_protocol::shape::Shape;
use shardfold_protocol::state::State;
use shardfold_protocol::tree::{StateTree, pages_on_paths};
use shardfold_protocol::witness::ShardWitness;

use super::oracle::{self, PAIR};
use crate::parallel;
use crate::reexecute::{ReexecuteError, reexecute};
use crate::shards::{ShardError, Shards, cut};
use crate::workload::{BALANCE, Builder, Keys, Pattern, Plan, Workload, genesis};

const NO_FEE: FeePayment = FeePayment {
    amount: 0,
    vault: 0,
};

/// 16 vaults and a batch that `fill` makes.
fn workload(fill: impl FnOnce(&mut Builder)) -> Workload {
    let keys = Keys::new(9, 2);
    let state = genesis(&keys, 16);
    let mut builder = Builder::new(&keys, &state);
    fill(&mut builder);
    let batch: Batch = builder.sign();
    Workload { state, batch }
}

fn sizes(workload: &Workload, shapes: &[Shape]) -> Vec<(usize, Shape)> {
    let outcome = oracle::execute(&workload.state, &workload.batch);
    assert_eq!(outcome.accepted.len(), workload.batch.transactions.len());
    let witnesses = oracle::cut(&workload.state, &workload.batch, &outcome, shapes);
    witnesses
        .iter()
        .map(|witness| (witness.transactions.len(), witness.shape))
        .collect()
}

#[test]
fn the_largest_shape_is_filled_and_the_smallest_takes_the_rest() {
    let transfers = |count: u32| {
        workload(|builder| {
            for i in 0..count {
                let fee = FeePayment {
                    amount: 1,
                    vault: 15,
                };
                builder.push(builder.transfer(i % 3, 7 + i % 4, 1, fee));
            }
        })
    };
    let shapes = [Shape::SMALL, PAIR, Shape::TINY];
    assert_eq!(sizes(&transfers(1), &shapes), [(1, PAIR)]);
    assert_eq!(sizes(&transfers(4), &shapes), [(4, Shape::TINY)]);
    assert_eq!(sizes(&transfers(5), &shapes), [(5, Shape::SMALL)]);
    assert_eq!(
        sizes(&transfers(129), &shapes),
        [(128, Shape::SMALL), (1, PAIR)]
    );
}

#[test]
fn a_shard_goes_on_while_any_shape_has_room() {
    // More transactions than TINY, but fewer nodes, as LARGE has fewer than MEDIUM.
    let dense = Shape {
        log_transactions: 3,
        log_records: 4,
        log_nodes: 6,
        ..Shape::TINY
    };
    let transfers = |count: u32, distance: u32| {
        workload(|builder| {
            for i in 0..count {
                builder.push(builder.transfer(0, (i + 1) * distance, 1, NO_FEE));
            }
        })
    };
    let (near, scattered) = (transfers(9, 1), transfers(5, 1 << 28));
    for shapes in [[dense, Shape::TINY], [Shape::TINY, dense]] {
        assert_eq!(sizes(&near, &shapes), [(8, dense), (1, Shape::TINY)]);
        assert_eq!(
            sizes(&scattered, &shapes),
            [(4, Shape::TINY), (1, Shape::TINY)]
        );
    }
    assert_eq!(sizes(&scattered, &[dense])[0], (1, dense));
}

#[test]
fn a_larger_shape_is_taken_where_the_rest_costs_less_with_it() {
    let transfers = |count: u32| {
        workload(|builder| {
            for i in 0..count {
                builder.push(builder.transfer(0, i + 1, 1, NO_FEE));
            }
        })
    };
    let eight = |log_permutations| Shape {
        log_transactions: 3,
        log_records: 4,
        log_permutations,
        ..Shape::TINY
    };
    let (cheap, dear) = (eight(11), eight(20));
    assert!(dear.cells() > 190_000_000);
    let four = |count| (count, Shape::TINY);
    for (count, shapes, expected) in [
        (5, [Shape::TINY, cheap], vec![(5, cheap)]),
        (5, [Shape::TINY, dear], vec![four(4), four(1)]),
        (
            17,
            [dear, Shape::TINY],
            vec![four(4), four(4), four(4), four(4), four(1)],
        ),
        (3, [dear, Shape::TINY], vec![four(3)]),
    ] {
        assert_eq!(sizes(&transfers(count), &shapes), expected);
    }
}

/// Block 12459406: two shards of 128 would take ten seconds more.
#[test]
fn a_few_transactions_beyond_a_small_shard_are_one_of_the_next_size() {
    let fee = FeePayment {
        amount: 1,
        vault: 15,
    };
    let workload = workload(|builder| {
        for i in 0..133 {
            builder.push(builder.transfer(i % 3, 7 + i % 4, 1, fee));
        }
    });
    let shapes = [Shape::SMALL, Shape::MEDIUM];
    assert_eq!(sizes(&workload, &shapes), [(133, Shape::MEDIUM)]);
}

/// What a shape takes is not told from how full its start makes it, nor from how empty.
#[test]
fn shapes_are_compared_by_what_they_take() {
    let transfers = |count: u32, receivers: u32| {
        workload(|builder| {
            for i in 0..count {
                builder.push(builder.transfer(0, i % receivers + 1, 1, NO_FEE));
            }
        })
    };
    let sixteen = |log_permutations| Shape {
        log_transactions: 4,
        log_permutations,
        ..Shape::TINY
    };
    let (cheap, dear) = (sixteen(12), sixteen(19));
    // Four transfers take five of the eight records, the others take no more.
    let shapes = [Shape::TINY, cheap];
    assert_eq!(sizes(&transfers(16, 4), &shapes), [(16, cheap)]);
    // Sixteen in the dear shape would cost less than four times four, but it takes only seven.
    let shapes = [Shape::TINY, dear];
    assert_eq!(sizes(&transfers(64, 14), &shapes), [(4, Shape::TINY); 16]);
    assert_eq!(sizes(&transfers(64, 4), &shapes)[0], (16, dear));
}

#[test]
fn three_quarters_of_a_shape_are_filled() {
    let transfers = |count: u32| {
        workload(|builder| {
            for _ in 0..count {
                builder.push(builder.transfer(0, 1, 1, NO_FEE));
            }
        })
    };
    let three = Shape {
        three_quarters: true,
        ..Shape::TINY
    };
    assert_eq!(
        sizes(&transfers(7), &[three]),
        [(3, three), (3, three), (1, three)]
    );
    // It costs less than the whole, which takes one more.
    let shapes = [three, Shape::TINY];
    assert_eq!(sizes(&transfers(3), &shapes), [(3, three)]);
    assert_eq!(sizes(&transfers(4), &shapes), [(4, Shape::TINY)]);
}

#[test]
fn a_shard_ends_before_a_transaction_that_spends_its_fees() {
    let earn = FeePayment {
        amount: 10,
        vault: 3,
    };
    let spend_all = |builder: &mut Builder| {
        builder.push(builder.transfer(0, 1, 5, earn));
        let balance = builder.vault(3).unwrap().balance;
        assert_eq!(balance, BALANCE + 10);
        builder.push(builder.transfer(3, 1, balance, NO_FEE));
        builder.push(builder.transfer(0, 1, 5, earn));
    };
    let shapes = [PAIR, Shape::TINY];
    assert_eq!(sizes(&workload(spend_all), &shapes), [(1, PAIR), (2, PAIR)]);

    // What it had before the shard, it can spend at any time.
    let spend_less = |builder: &mut Builder| {
        builder.push(builder.transfer(0, 1, 5, earn));
        builder.push(builder.transfer(3, 1, BALANCE, NO_FEE));
        builder.push(builder.transfer(0, 1, 5, earn));
    };
    assert_eq!(sizes(&workload(spend_less), &shapes), [(3, Shape::TINY)]);
}

#[test]
fn a_vault_that_earns_its_own_fee_can_go_on() {
    let own = FeePayment {
        amount: 10,
        vault: 3,
    };
    let workload = workload(|builder| {
        for _ in 0..4 {
            builder.push(builder.transfer(3, 1, 5, own));
        }
    });
    assert_eq!(sizes(&workload, &[Shape::TINY]), [(4, Shape::TINY)]);
}

#[test]
fn the_cut_is_part_of_what_the_head_commits_to() {
    let workload = workload(|builder| {
        for _ in 0..4 {
            builder.push(builder.transfer(0, 1, 5, NO_FEE));
        }
    });
    let outcome = oracle::execute(&workload.state, &workload.batch);
    let head = |shape| {
        let mut state = workload.state.clone();
        oracle::apply(&mut state, &workload.batch, &outcome, &[shape]);
        *state.head()
    };
    let (two, one) = (head(PAIR), head(Shape::TINY));
    assert_ne!(two.data_commitment, one.data_commitment);
    assert_eq!(head(Shape::SMALL), one);
    let data_commitment = one.data_commitment;
    assert_eq!(
        Head {
            data_commitment,
            ..two
        },
        one
    );
}

#[test]
fn shapes_that_cannot_hold_the_batch_are_errors() {
    let mut workload = workload(|builder| builder.push(builder.transfer(0, 1, 5, NO_FEE)));
    let outcome = oracle::execute(&workload.state, &workload.batch);
    let (state, batch) = (&mut workload.state, &workload.batch);
    let before = state.clone();
    assert_eq!(
        cut(standard(), state, batch, &outcome, &[]),
        Err(ShardError::NoShapes)
    );
    let found = Shape {
        log_nodes: 255,
        ..PAIR
    };
    assert_eq!(
        cut(standard(), state, batch, &outcome, &[PAIR, found]),
        Err(ShardError::Shape { found })
    );
    let source = ShapeExceeded {
        resource: Resource::Nodes,
        found: 32,
        limit: 16,
    };
    let error = ShardError::TransactionTooLarge {
        position: 0,
        source,
    };
    let narrow = Shape {
        log_nodes: 4,
        ..PAIR
    };
    assert_eq!(
        cut(standard(), state, batch, &outcome, &[narrow]),
        Err(error)
    );
    assert_eq!(*state, before);
}

#[test]
fn shards_are_cut_where_the_table_of_vaults_is_full() {
    let contracts = Contracts::none().with(TableTransfer("transfer")).unwrap();
    let workload = workload(|builder| {
        for to in 1..4 {
            builder.push(builder.transfer(0, to, 5, NO_FEE));
        }
    });
    let outcome = parallel::execute(&contracts, &workload.state, &workload.batch).unwrap();
    let shards_of = |log_vaults| {
        let shape = Shape { log_vaults, ..PAIR };
        let mut state = workload.state.clone();
        let shards = cut(&contracts, &mut state, &workload.batch, &outcome, &[shape]);
        let counts = shards.unwrap().into_iter();
        counts
            .map(|shard| shard.transactions.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(shards_of(1), [1, 1, 1]);
    assert_eq!(shards_of(2), [2, 1]);
}

#[test]
fn an_outcome_of_another_state_is_an_error() {
    let mut workload = workload(|builder| builder.push(builder.transfer(0, 1, 5, NO_FEE)));
    let outcome = oracle::execute(&workload.state, &workload.batch);
    oracle::apply(&mut workload.state, &workload.batch, &outcome, &[PAIR]);
    let result = cut(
        standard(),
        &mut workload.state,
        &workload.batch,
        &outcome,
        &[PAIR],
    );
    assert!(
        matches!(result, Err(ShardError::NotValid { position: 0, .. })),
        "{result:?}"
    );
    workload.batch.transactions.clear();
    let result = cut(
        standard(),
        &mut workload.state,
        &workload.batch,
        &outcome,
        &[PAIR],
    );
    assert_eq!(
        result,
        Err(ShardError::NoTransaction {
            position: 0,
            limit: 0
        })
    );
}

fn witness() -> ShardWitness {
    let plan = Plan {
        seed: 5,
        pattern: Pattern::Mixed,
        vaults: 30,
        transactions: 20,
        keys: 3,
    };
    let Workload { state, batch } = plan.build();
    let outcome = oracle::execute(&state, &batch);
    oracle::cut(&state, &batch, &outcome, &[Shape::SMALL]).remove(0)
}

/// A state that holds no more than the records that a batch touches.
fn partial(state: &State, batch: &Batch) -> State {
    let indices: Vec<Index> = standard().indices(&batch.transactions);
    let records: Vec<_> = indices.iter().map(|&i| (i, state.tree().get(i))).collect();
    let pages = pages_on_paths(&indices).into_iter();
    let pages = pages.filter_map(|id| Some((id, state.tree().page(id)?.clone())));
    let tree = StateTree::from_parts(&records, pages);
    State::from_parts(state.chain_id(), *state.head(), tree).unwrap()
}

#[test]
fn a_partial_state_gives_the_same_shards() {
    for pattern in [Pattern::Mixed, Pattern::Faulty] {
        let plan = Plan {
            seed: 6,
            pattern,
            vaults: 1_000,
            transactions: 40,
            keys: 3,
        };
        let Workload { mut state, batch } = plan.build();
        let mut part = partial(&state, &batch);
        assert!(part.tree().len() < 100);
        let outcome = parallel::execute(standard(), &part, &batch).unwrap();
        assert_eq!(outcome, oracle::execute(&state, &batch));
        let shards = cut(standard(), &mut part, &batch, &outcome, &[Shape::TINY]).unwrap();
        assert_eq!(
            cut(standard(), &mut state, &batch, &outcome, &[Shape::TINY]),
            Ok(shards)
        );
        assert_eq!(part.head(), state.head());
    }
}

#[test]
fn a_batch_can_be_cut_in_part() {
    let plan = Plan {
        seed: 7,
        pattern: Pattern::Mixed,
        vaults: 30,
        transactions: 20,
        keys: 3,
    };
    let Workload { mut state, batch } = plan.build();
    let outcome = oracle::execute(&state, &batch);
    let mut shards = Shards::new(standard(), &mut state, &batch, &outcome, &[Shape::TINY]).unwrap();
    let first = shards.next().unwrap().unwrap();
    let second = shards.next().unwrap().unwrap();
    // The next run is known by now, but the state is where the last witness ends.
    assert_eq!(*state.head(), second.statement.after);
    assert_eq!(first.statement.after, second.statement.before);
}

#[test]
fn a_witness_that_is_not_as_cut_is_refused() {
    let good = witness();
    let refused = |change: &dyn Fn(&mut ShardWitness)| {
        let mut witness = good.clone();
        change(&mut witness);
        validate(standard(), &witness).unwrap_err()
    };
    let shape = refused(&|w| w.shape.log_nodes = 255);
    assert!(matches!(shape, WitnessError::Shape { .. }));
    let empty = refused(&|w| w.transactions.clear());
    assert_eq!(empty, WitnessError::NoTransactions);
    let large = refused(&|w| w.shape = Shape::TINY);
    assert!(matches!(
        large,
        WitnessError::TooLarge {
            position: 1..=4,
            ..
        }
    ));
    let missing = refused(&|w| {
        w.records.remove(2);
    });
    assert_eq!(
        missing,
        WitnessError::MissingRecord {
            expected: good.records[2].0
        }
    );
    let untouched = refused(&|w| w.records.push((1 << 31, w.records[0].1)));
    assert!(matches!(
        untouched,
        WitnessError::UntouchedRecord {
            found: 0x8000_0000,
            ..
        }
    ));
    let order = refused(&|w| w.records.swap(0, 1));
    assert!(matches!(order, WitnessError::Paths(_)));
    let repeated = refused(&|w| w.records.insert(1, w.records[0]));
    assert!(matches!(repeated, WitnessError::Paths(_)));
    let siblings = refused(&|w| {
        w.siblings.pop();
    });
    assert!(matches!(siblings, WitnessError::Paths(_)));
    let sibling = refused(&|w| w.siblings[0][0] += F::ONE);
    assert!(matches!(sibling, WitnessError::Root { .. }));
    let record = refused(&|w| w.records[0].1.0[2] += F::ONE);
    assert!(matches!(record, WitnessError::Root { .. }));
    let root = refused(&|w| w.statement.before.state_root[0] += F::ONE);
    assert!(matches!(root, WitnessError::Root { .. }));
    let count = refused(&|w| w.statement.after.tx_count += 1);
    assert!(matches!(count, WitnessError::Counts { .. }));
    let deposits = refused(&|w| w.statement.before.queue_count = MODULUS - 1);
    assert!(matches!(deposits, WitnessError::Counts { .. }));
    let back = refused(&|w| w.statement.before.time = w.statement.after.time + 1);
    assert!(matches!(
        back,
        WitnessError::Time(TimeError::RunsBack { .. })
    ));
    let leap = refused(&|w| w.statement.after.time = w.statement.before.time + LEAP_LIMIT);
    assert!(matches!(leap, WitnessError::Time(TimeError::Leaps { .. })));
    let late = refused(&|w| {
        w.statement.before.time = TIME_LIMIT - 1;
        w.statement.after.time = TIME_LIMIT;
    });
    assert!(matches!(late, WitnessError::Statement(_)));
}

/// A statement whose integers are larger by the field's order has the same elements.
#[test]
fn a_witness_of_a_statement_that_is_not_canonical_is_refused() {
    let good = witness();
    let refused = |change: &dyn Fn(&mut Statement)| {
        let mut witness = good.clone();
        change(&mut witness.statement);
        assert_eq!(witness.statement.elements(), good.statement.elements());
        match validate(standard(), &witness) {
            Err(WitnessError::Statement(OutOfBounds { name, found, .. })) => {
                (name, found - MODULUS)
            }
            other => panic!("{other:?}"),
        }
    };
    let chain = refused(&|s| s.chain_id += MODULUS);
    assert_eq!(chain, ("chain id", good.statement.chain_id));
    // Both heads, so that they still count the transactions.
    let transactions = refused(&|s| {
        s.before.tx_count += MODULUS;
        s.after.tx_count += MODULUS;
    });
    assert_eq!(transactions.0, "transaction count");
    let deposits = refused(&|s| {
        s.before.queue_count += MODULUS;
        s.after.queue_count += MODULUS;
    });
    assert_eq!(deposits.0, "queue count");
    let withdrawals = refused(&|s| s.after.withdrawal_count += MODULUS);
    assert_eq!(withdrawals.0, "withdrawal count");
    let after = refused(&|s| s.after.tx_count += MODULUS);
    assert_eq!(after, ("transaction count", good.statement.after.tx_count));
}

#[test]
fn a_witness_that_leads_elsewhere_does_not_replay() {
    let mut elsewhere = witness();
    elsewhere.statement.after.state_root[0] += F::ONE;
    assert!(matches!(
        reexecute(standard(), &elsewhere),
        Err(ReexecuteError::Head { .. })
    ));
    // What an exit withdraws is known only when it has been executed.
    let mut owed = witness();
    owed.statement.after.withdrawal_count += 1;
    assert!(matches!(
        reexecute(standard(), &owed),
        Err(ReexecuteError::Head { .. })
    ));
    let mut reordered = witness();
    reordered.transactions.rotate_left(1);
    assert!(reexecute(standard(), &reordered).is_err());
}
